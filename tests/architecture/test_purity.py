"""Outside ``aws`` and ``cli`` the library has no AWS, no environment, no clock and no randomness of its own."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.sources import CORE, imported, name_of, parsed

EDGES = {"aws", "cli"}
FORBIDDEN_MODULES = {"boto3", "botocore", "os", "time", "random", "uuid", "secrets", "socket", "urllib3", "requests"}
FORBIDDEN_CALLS = {"now", "utcnow", "today", "getenv"}

PURE = [path for path in sorted(CORE.rglob("*.py")) if path.relative_to(CORE).parts[0] not in EDGES]


def _impure_calls(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            unseeded = node.func.attr == "default_rng" and not node.args
            if unseeded or (node.func.attr in FORBIDDEN_CALLS and not node.args):
                yield f"line {node.lineno}: {node.func.attr}()"


@pytest.mark.parametrize("path", PURE, ids=name_of)
def test_the_core_reaches_for_nothing_outside(path: Path) -> None:
    """What a stage needs of the world it is given: that is why it is tested without one."""
    tree = parsed(path)
    modules = {module.partition(".")[0] for module in imported(tree)}
    assert modules & FORBIDDEN_MODULES == set()
    assert list(_impure_calls(tree)) == []


@pytest.mark.parametrize("path", PURE, ids=name_of)
def test_the_core_does_not_know_its_adapters(path: Path) -> None:
    """Dependencies point inwards: adapters import the core, never the other way round."""
    assert [m for m in imported(parsed(path)) if m.startswith(("smallbox.aws", "smallbox.cli"))] == []
