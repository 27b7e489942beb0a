"""Builds the layers that AWS gets, without Docker: wheels from hashed requirements, and our own code: `make layers`.

Their files are compiled for Lambda's Python, see :mod:`infra.bytecode`.
"""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from infra.bytecode import compile_folder, target_python
from infra.deployment import ROOT, Deployment, changed_settings

RUNTIMES: Final = ("api", "predict")
"""The layers of zip functions, in the order in which a function lists them."""

OWN: Final = ("core", "definitions")
"""The layers of our own code, which every zip function lists first."""

API: Final = ("api",)
"""Layers of a zip function that only handles JSON."""
COMPUTE: Final = ("api", "predict")
"""Layers of a zip function that computes with numpy or ONNX."""
IMAGE: Final[Sequence[str]] = ()
"""No layers: the container image has all wheels."""

PYTHON: Final = "3.13"
_LAMBDA: Final = ("--python-platform", "aarch64-manylinux_2_28", "--python-version", PYTHON)
_BUILD: Final = ROOT / ".build"
_UNCOMPILED: Final = "without bytecode"
_NO_PYTHON: Final = f"""\
Python {PYTHON}, which Lambda runs, is not on the path, and uv could not download it. So the layers carry no bytecode:
they work, but every cold start compiles them, which takes half a second. Install it, then run `make layers` again.
"""


def requirements(runtime: str) -> Path:
    """The requirements file of a runtime, with hashes."""
    return ROOT / "layers" / runtime / "requirements.txt"


def layer(name: str) -> Path:
    """The folder of a layer as AWS gets it, with its files under ``python/``."""
    return _BUILD / "layers" / name


def host(runtime: str) -> Path:
    """The folder of the same wheels for this machine and Python, for tests that import what a layer holds."""
    return _BUILD / "host" / runtime


def build_layer(runtime: str) -> Path:
    """Install the wheels of a layer for Lambda and compile them, unless they are up to date."""
    wanted = _digest([requirements(runtime)], _LAMBDA)
    return _packaged(runtime, wanted, lambda into: _install(runtime, into, _LAMBDA))


def build_own(name: str) -> Path:
    """Copy a layer of our own code and compile it, unless the copy is up to date."""
    source = ROOT / "layers" / name / "python"
    files = sorted(path for path in source.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    wanted = _digest(files, (PYTHON,))
    ignored = shutil.ignore_patterns("__pycache__", ".*_cache")
    return _packaged(name, wanted, lambda into: shutil.copytree(source, into, ignore=ignored))


def build_host(runtime: str) -> Path:
    """Install the wheels of a layer for this machine, unless they are up to date."""
    target = ("--python", sys.executable)
    wanted, folder = _digest([requirements(runtime)], target), host(runtime)
    stamp = _stamp(folder)
    if not stamp.exists() or stamp.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        _install(runtime, folder / "python", target)
        stamp.write_text(wanted)
    return folder


def _packaged(name: str, wanted: str, fill: Callable[[Path], object]) -> Path:
    """The folder of a layer, filled and compiled anew unless its stamp is what is wanted."""
    folder = layer(name)
    stamp = _stamp(folder)
    if stamp.exists() and stamp.read_text().partition(" ")[0] == wanted:
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    fill(folder / "python")
    python = target_python(PYTHON)
    if python is not None:
        compile_folder(folder / "python", python)
    stamp.write_text(wanted if python else f"{wanted} {_UNCOMPILED}")
    return folder


def _stamp(folder: Path) -> Path:
    """The file beside a folder that tells what it was built from."""
    return folder.with_suffix(".sha256")


def _digest(files: Sequence[Path], target: Sequence[str]) -> str:
    digest = hashlib.sha256(" ".join(target).encode())
    for file in files:
        content = file.read_bytes()
        digest.update(f"\n{file.relative_to(ROOT)} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def _install(runtime: str, into: Path, target: tuple[str, ...]) -> None:
    uv = Path(sys.executable).with_name("uv")
    options = ["--quiet", "--require-hashes", "--only-binary", ":all:", "--target", str(into), *target]
    subprocess.run([str(uv), "pip", "install", *options, "-r", str(requirements(runtime))], check=True, cwd=ROOT)  # noqa: S603 our own files


def _is_uncompiled(name: str) -> bool:
    stamp = _stamp(layer(name))
    return stamp.exists() and stamp.read_text().endswith(_UNCOMPILED)


def main() -> None:
    """Build every layer that a deployment to AWS packages; those without bytecode are built again."""
    if not Deployment.aws(changed_settings()).packaged_wheels:
        return
    for name in (*OWN, *RUNTIMES):
        if _is_uncompiled(name):
            _stamp(layer(name)).unlink()
        (build_own if name in OWN else build_layer)(name)
    if any(_is_uncompiled(name) for name in (*OWN, *RUNTIMES)):
        sys.stderr.write(_NO_PYTHON)


if __name__ == "__main__":
    main()
