"""A checkout with more definitions than the shipped ones, and commands in it: its stack is no other story's."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from infra.deployment import ROOT
from tests.deployed import searches

_DEFINITIONS: Final = Path("layers/definitions/python/definitions")


def write_other_checkout(folder: Path) -> Path:
    """Copy this checkout to a folder, and add the README's complete definition and that of the searches.

    The README's customers say no ``known_after`` here: they are known when they are received.
    """
    for part in ("functions", "infra", "layers"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "cdk.json", folder)
    (folder / "node_modules").symlink_to(ROOT / "node_modules")
    *_, code = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    before, after = code.split('time="joined_at",\n    known_after="0s",\n')
    (folder / _DEFINITIONS / "fraud.py").write_text(f'{before}time="joined_at",\n{after}')
    shutil.copy(searches.__file__, folder / _DEFINITIONS / "searches.py")
    return folder


def is_up(folder: Path) -> bool:
    """Whether the checkout has a local stack."""
    return (folder / ".smallbox/local.json").is_file()


def run_there(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run ``smallbox`` with these arguments in the checkout, with its own library and definitions."""
    paths = [str(folder / f"layers/{layer}/python") for layer in ("definitions", "core")]
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "smallbox.cli.main", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
