"""Compiles the Python files of a layer: Lambda mounts layers read-only, so without bytecode each cold start compiles.

The bytecode lies beside its source, in ``__pycache__``, and is valid without a look at it: ``unchecked-hash``. So it
does not depend on the times of files, which packaging does not keep. Sources stay, for tracebacks and ``inspect``.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

MOUNTED: Final = "/opt/python"
"""Where Lambda mounts what a layer holds under ``python/``; tracebacks name files as they lie there."""

TARGET_MAGIC: Final = (3571).to_bytes(2, "little") + b"\r\n"
"""How bytecode begins that Lambda's Python, 3.13, runs; it ignores other bytecode."""

TARGET_TAG: Final = "cpython-313"
"""The part of the names of these files that tells the Python."""

_MAGIC_OF: Final = "import importlib.util, sys; sys.stdout.buffer.write(importlib.util.MAGIC_NUMBER)"


def compile_folder(folder: Path, python: Sequence[str]) -> None:
    """Write the bytecode of every Python file in a folder. Equal sources give equal bytes.

    Args:
        folder: what Lambda mounts at :data:`MOUNTED`.
        python: the command of the Python that is to run it.

    Raises:
        CalledProcessError: if a file cannot be compiled.
    """
    options = ["--invalidation-mode", "unchecked-hash", "-q", "-f", "-s", str(folder), "-p", MOUNTED]
    seeded = os.environ | {"PYTHONHASHSEED": "0"}
    subprocess.run([*python, "-I", "-m", "compileall", *options, str(folder)], check=True, env=seeded)  # noqa: S603 our own


@cache
def target_python(version: str) -> tuple[str, ...] | None:
    """The command of a Python whose bytecode Lambda runs: this one, or one that uv finds or downloads.

    Args:
        version: the version of Lambda's Python.

    Returns:
        ``None`` if there is none on this machine, and none can be downloaded.
    """
    uv = str(Path(sys.executable).with_name("uv"))
    found = (uv, "run", "--quiet", "--no-project", "--isolated", "--python", version, "--", "python")
    return next((python for python in ((sys.executable,), found) if _magic_of(python) == TARGET_MAGIC), None)


def _magic_of(python: Sequence[str]) -> bytes:
    """How the bytecode of a Python begins; empty when it cannot be run."""
    ended = subprocess.run([*python, "-I", "-c", _MAGIC_OF], capture_output=True, check=False)  # noqa: S603 our own
    return ended.stdout
