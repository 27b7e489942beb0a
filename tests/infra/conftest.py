"""Both deployments, synthesized once for a test run: as `cdk synth` does, in processes of their own."""

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from infra import wheels
from infra.deployment import ROOT
from smallbox.cli.checkout import MARK, with_tools
from tests.infra.templates import Assembly

CONTEXTS: Final = {"aws": '{"on": "aws"}', "local": '{"deployment": "local"}'}


def synthesis(folder: Path, context: str, checkout: Path, *, stderr: int | None = None) -> "subprocess.Popen[bytes]":
    """Begin to synthesize into a folder, in a checkout of its own: what was deployed from this one does not matter."""
    (checkout / MARK).touch()
    environment = with_tools(os.environ) | {"CDK_OUTDIR": str(folder), "CDK_CONTEXT_JSON": context}
    environment["PYTHONPATH"] = str(ROOT)
    return subprocess.Popen([sys.executable, "-O", "-m", "infra.app"], cwd=checkout, env=environment, stderr=stderr)


def _synthesize_both(folder: Path) -> None:
    for runtime in wheels.RUNTIMES:
        wheels.build_layer(runtime)
    running = [synthesis(folder / name, context, folder) for name, context in CONTEXTS.items()]
    assert [process.wait() for process in running] == [0, 0]


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """One worker of the test run at a time."""
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def assemblies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Assembly]:
    """Both, by name. The workers of one test run share them: a synthesis takes twenty seconds of a processor."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "assemblies"
    folder.mkdir(exist_ok=True)
    with _alone(folder / "lock"):
        if not (folder / "done").exists():
            _synthesize_both(folder)
            (folder / "done").touch()
    return {name: Assembly.read(folder / name) for name in CONTEXTS}


@pytest.fixture(scope="session")
def aws(assemblies: dict[str, Assembly]) -> Assembly:
    """What AWS gets."""
    return assemblies["aws"]


@pytest.fixture(scope="session")
def local(assemblies: dict[str, Assembly]) -> Assembly:
    """What the emulator gets."""
    return assemblies["local"]
