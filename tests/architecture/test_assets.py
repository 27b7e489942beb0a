"""A zip function fits in Lambda, runs with nothing but its own asset and layers, and starts without compiling them."""

import _imp
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from infra import wheels
from infra.bytecode import TARGET_MAGIC, TARGET_TAG, compile_folder, target_python
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
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


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
    """The asset and its layers, with the wheels for Lambda's platform and bytecode, unpack to less than 250 MB."""
    layers = [*map(wheels.build_own, wheels.OWN), *(wheels.build_layer(runtime) for runtime in ZIPS[path])]
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


def _without_bytecode(folder: Path) -> Iterator[str]:
    """The Python files of a layer that Lambda's Python would compile: its bytecode is missing, or of other source."""
    for file in folder.rglob("*.py"):
        compiled = file.parent / "__pycache__" / f"{file.stem}.{TARGET_TAG}.pyc"
        source_hash = _imp.source_hash(int.from_bytes(TARGET_MAGIC, "little"), file.read_bytes())
        unchecked = TARGET_MAGIC + (1).to_bytes(4, "little") + source_hash
        if not compiled.exists() or compiled.read_bytes()[: len(unchecked)] != unchecked:
            yield str(file.relative_to(folder))


@pytest.mark.parametrize("name", [*wheels.OWN, *wheels.RUNTIMES])
def test_a_packaged_layer_carries_bytecode_of_lambdas_python(name: str) -> None:
    """Every Python file of a layer has bytecode of its own source, which Lambda's Python runs without a look at it."""
    folder = wheels.build_own(name) if name in wheels.OWN else wheels.build_layer(name)
    if target_python(wheels.PYTHON) is None:
        pytest.skip(f"Python {wheels.PYTHON} is neither on the path nor to be downloaded")
    assert list(_without_bytecode(folder)) == []


def test_bytecode_is_run_instead_of_its_source(tmp_path: Path) -> None:
    """Python runs the bytecode that a folder was compiled to, whatever is in the source since."""
    source = tmp_path / "answered.py"
    source.write_text("print('compiled')\n")
    compile_folder(tmp_path, (sys.executable,))
    source.write_text("print('source')\n")
    command = [sys.executable, "-I", "-S", "-B", "-c", "import sys; sys.path[:0] = sys.argv[1:]; import answered"]
    assert subprocess.run([*command, str(tmp_path)], capture_output=True, check=True).stdout == b"compiled\n"  # noqa: S603 our own


def test_equal_sources_give_equal_bytecode(tmp_path: Path) -> None:
    """The library compiled in two folders is the same bytes, so a deployment without changes changes no layer."""
    compiled = []
    for name in ("first", "second"):
        folder = tmp_path / name
        shutil.copytree(OWN_LAYERS[0] / "python", folder, ignore=shutil.ignore_patterns("__pycache__"))
        compile_folder(folder, (sys.executable,))
        compiled.append({path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.pyc")})
    assert len(compiled[0]) > 200
    assert compiled[0] == compiled[1]
