"""The Python files of the repository, to check what holds for all of them."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from infra.deployment import ROOT

CORE = ROOT / "layers/core/python/smallbox"


@cache
def committed() -> tuple[Path, ...]:
    """Every Python file that git knows and that is still there."""
    listing = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S607
    return tuple(path for path in (ROOT / line for line in listing.stdout.splitlines()) if path.exists())


@cache
def parsed(path: Path) -> ast.Module:
    """The file's syntax tree."""
    return ast.parse(path.read_text())


def imported(tree: ast.AST) -> Iterator[str]:
    """The names of the modules that a tree imports, wherever in the file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def name_of(path: Path) -> str:
    """The file's name in a message."""
    return str(path.relative_to(ROOT))
