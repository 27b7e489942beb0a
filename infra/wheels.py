"""Builds the layers of third-party wheels from hashed requirements, without Docker: `make layers`."""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from infra.deployment import ROOT, Deployment, changed_settings

RUNTIMES: Final = ("api", "predict")
"""The layers of zip functions, in the order in which a function lists them."""

API: Final = ("api",)
"""Layers of a zip function that only handles JSON."""
COMPUTE: Final = ("api", "predict")
"""Layers of a zip function that computes with numpy or ONNX."""
IMAGE: Final[Sequence[str]] = ()
"""No layers: the container image has all wheels."""

PYTHON: Final = "3.13"
_LAMBDA: Final = ("--python-platform", "aarch64-manylinux_2_28", "--python-version", PYTHON)
_BUILD: Final = ROOT / ".build"


def requirements(runtime: str) -> Path:
    """The requirements file of a runtime, with hashes."""
    return ROOT / "layers" / runtime / "requirements.txt"


def layer(runtime: str) -> Path:
    """The folder of the layer: wheels for Lambda under ``python/``."""
    return _BUILD / "layers" / runtime


def host(runtime: str) -> Path:
    """The folder of the same wheels for this machine and Python, for tests that import what a layer holds."""
    return _BUILD / "host" / runtime


def build_layer(runtime: str) -> Path:
    """Install the wheels of a layer for Lambda, unless they are up to date."""
    return _build(runtime, layer(runtime), "python", _LAMBDA)


def build_host(runtime: str) -> Path:
    """Install the wheels of a layer for this machine, unless they are up to date."""
    return _build(runtime, host(runtime), "python", ("--python", sys.executable))


def _build(runtime: str, folder: Path, subfolder: str, target: tuple[str, ...]) -> Path:
    wanted = hashlib.sha256(requirements(runtime).read_bytes() + " ".join(target).encode()).hexdigest()
    stamp = folder.with_suffix(".sha256")
    if stamp.exists() and stamp.read_text() == wanted:
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    _install(runtime, folder / subfolder, target)
    stamp.write_text(wanted)
    return folder


def _install(runtime: str, into: Path, target: tuple[str, ...]) -> None:
    uv = Path(sys.executable).with_name("uv")
    options = ["--quiet", "--require-hashes", "--only-binary", ":all:", "--target", str(into), *target]
    subprocess.run([str(uv), "pip", "install", *options, "-r", str(requirements(runtime))], check=True, cwd=ROOT)  # noqa: S603 our own files


def main() -> None:
    """Build every layer that a deployment to AWS packages."""
    if Deployment.aws(changed_settings()).packaged_wheels:
        for name in RUNTIMES:
            build_layer(name)


if __name__ == "__main__":
    main()
