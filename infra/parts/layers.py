"""Lambda layers: the library, the definitions, and third-party wheels (on AWS only)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra import wheels
from infra.deployment import ROOT, Deployment

RUNTIME: Final = lambda_.Runtime.PYTHON_3_13
ARCHITECTURE: Final = lambda_.Architecture.ARM_64
EXCLUDED: Final = ["**/__pycache__", "**/*.pyc", ".mypy_cache", ".ruff_cache"]
"""Left out of assets of the checkout: a test run changes these files, and so would redeploy every function."""


def code(folder: Path) -> lambda_.Code:
    """A folder as a Lambda asset."""
    return lambda_.Code.from_asset(str(folder), exclude=EXCLUDED)


class Layers(Construct):
    """One layer for the library, one for the definitions, and one for the wheels of each runtime."""

    def __init__(self, scope: Construct, name: str, deployment: Deployment) -> None:
        super().__init__(scope, name)
        is_packaged = deployment.packaged_wheels
        self._own = [self._layer(name, _packaged(name) if is_packaged else _source(name)) for name in wheels.OWN]
        runtimes = wheels.RUNTIMES if is_packaged else ()
        self._wheels = {runtime: self._layer(runtime, _wheels(runtime)) for runtime in runtimes}

    def of(self, runtimes: Sequence[str]) -> list[lambda_.LayerVersion]:
        """The layers of a function that needs these runtimes."""
        return self._own + [self._wheels[runtime] for runtime in runtimes if runtime in self._wheels]

    def _layer(self, name: str, content: lambda_.Code) -> lambda_.LayerVersion:
        return lambda_.LayerVersion(
            self, name, code=content, compatible_runtimes=[RUNTIME], compatible_architectures=[ARCHITECTURE]
        )


def _source(name: str) -> lambda_.Code:
    """Our own code as it lies in the checkout."""
    return code(ROOT / "layers" / name)


def _packaged(name: str) -> lambda_.Code:
    """Our own code with bytecode, never older than the checkout."""
    return lambda_.Code.from_asset(str(wheels.build_own(name)))


def _wheels(runtime: str) -> lambda_.Code:
    folder = wheels.layer(runtime)
    if not folder.exists():
        raise FileNotFoundError(f"the wheels of layer {runtime!r} are not built; run `make layers`")
    return lambda_.Code.from_asset(str(folder), exclude=[".lock"])
