"""A zip function fits in Lambda, and runs with nothing but its own asset and layers."""

import json
import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from infra import wheels
from infra.deployment import ROOT
from smallbox.aws import settings
from tests.architecture.functions import FOLDER, TOO_HEAVY, declared, zips

UNPACKED_LIMIT = 250 * 2**20
OWN_LAYERS = [ROOT / "layers/core", ROOT / "layers/definitions"]
ZIPS = zips()

# -I and -S leave the standard library alone on the path: neither this checkout nor its virtual environment.
IMPORT = """
import json, sys
sys.path[:0] = json.loads(sys.argv[1])
import handler
assert callable(handler.handler)
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def _size(folder: Path) -> int:
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts)


def _environment(path: str) -> dict[str, str]:
    cls: Any = getattr(settings, path.partition("/")[2].capitalize() + "Settings")
    return {
        **settings.environment(cls(**{field.name: f"the-{field.name}" for field in fields(cls)})),
        "AWS_DEFAULT_REGION": "eu-central-1",
        "POWERTOOLS_SERVICE_NAME": path,
        "HOME": os.environ["HOME"],
    }


def _imported_in_isolation(path: str) -> set[str]:
    layers = [*OWN_LAYERS, *(wheels.build_host(runtime) for runtime in ZIPS[path])]
    folders = [str(ROOT / "functions" / path), *(str(layer / "python") for layer in layers)]
    ended = subprocess.run(  # noqa: S603 our own Python
        [sys.executable, "-I", "-S", "-c", IMPORT, json.dumps(folders)],
        env=_environment(path), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    return set(json.loads(ended.stdout.splitlines()[-1]))


def test_every_function_is_declared_with_its_wheels() -> None:
    """The functions that the stages declare are the folders of handlers, so no zip function is missing below."""
    assert set(declared()) == {str(handler.parent.relative_to(FOLDER)) for handler in FOLDER.glob("*/*/handler.py")}
    assert set() < set(ZIPS) < set(declared())


@pytest.mark.parametrize("path", ZIPS)
def test_a_zip_function_fits_in_lambda(path: str) -> None:
    """The asset and its layers, with the wheels for Lambda's platform, unpack to less than 250 MB."""
    layers = [*OWN_LAYERS, *(wheels.build_layer(runtime) for runtime in ZIPS[path])]
    size = sum(_size(folder) for folder in [ROOT / "functions" / path, *layers])
    sys.stdout.write(f"{path}: {size / 2**20:.0f} MB unpacked\n")
    assert size < UNPACKED_LIMIT


@pytest.mark.parametrize("path", ZIPS)
def test_a_zip_function_starts_with_its_own_layers_alone(path: str) -> None:
    """What the virtual environment hides locally: no import is missing, no credentials are asked for."""
    assert _imported_in_isolation(path) & TOO_HEAVY == set()


def test_a_prediction_starts_without_the_packages_that_take_long_to_import() -> None:
    """What costs the most of a cold start is not imported, at the start at least; a failure may import it."""
    assert _imported_in_isolation("serving/predict") & {"boto3", "botocore", "aws_lambda_powertools"} == set()
