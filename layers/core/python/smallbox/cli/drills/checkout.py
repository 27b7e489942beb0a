"""A checkout of its own for the drills: this library and infrastructure, with the drills' definition alone."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from smallbox.cli.checkout import root, state_folder
from smallbox.cli.drills import definition
from smallbox.errors import Unavailable

_PARTS: Final = ("functions", "infra", "layers")
_DEFINITIONS: Final = Path("layers/definitions/python/definitions")


def write_drill_checkout(source: Path, folder: Path) -> Path:
    """Copy a checkout to a folder, with the drills' definition in place of its own; returns the folder."""
    shutil.rmtree(folder, ignore_errors=True)
    for part in _PARTS:
        shutil.copytree(source / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(source / "cdk.json", folder)
    (folder / "node_modules").symlink_to(source / "node_modules")
    for file in (folder / _DEFINITIONS).glob("*.py"):
        file.unlink()
    (folder / _DEFINITIONS / "__init__.py").write_text('"""The definition of the drills."""\n')
    shutil.copy(definition.__file__, folder / _DEFINITIONS / "deliveries.py")
    return folder


def drilled_there(name: str) -> Any:
    """Run one drill in the drills' checkout, on a local stack of its own, and return its document.

    Raises:
        Unavailable: if the stack did not start, or stopped answering.
    """
    folder = write_drill_checkout(root(), state_folder() / "drills")
    ended = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "smallbox.cli.main", "--json", "--on", "local", "drill", name],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(_paths(folder))},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    try:
        document = json.loads(ended.stdout)
    except ValueError:
        document = {"error": {"message": f"it ended with {ended.returncode}"}}
    if "error" in document:
        raise Unavailable(f"the drill {name} could not be run: {document['error']['message']}")
    return document


def _paths(folder: Path) -> Sequence[str]:
    return [str(folder / f"layers/{layer}/python") for layer in ("definitions", "core")]
