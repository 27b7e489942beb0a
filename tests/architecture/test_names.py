"""One public name means one thing in the whole library, and a function's module is named as the function."""

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

from infra.deployment import ROOT
from tests.architecture.sources import CORE, imported, name_of, parsed

DOUBLED: Final[Mapping[str, str]] = {
    "register": "each module of the command line adds its commands to the parser with a function of this name",
}
"""The public names that several modules define, each with its reason."""

HANDLERS: Final = sorted((ROOT / "functions").glob("*/*/handler.py"))
IN_A_ROOM: Final[Mapping[str, str]] = {"registry/browse": "console"}
"""The functions whose module lies in a room beside the stages."""


def _defined(path: Path) -> Iterator[str]:
    """The public names that a file defines at its top."""
    for node in parsed(path).body:
        names: list[str] = []
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names = [node.name]
        elif isinstance(node, ast.Assign):
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names = [node.target.id]
        yield from (name for name in names if not name.startswith("_"))


def test_a_public_name_is_defined_once() -> None:
    """No two modules of the library define the same public name, except those of the list."""
    places = defaultdict(list)
    for path in sorted(CORE.rglob("*.py")):
        for name in _defined(path):
            places[name].append(name_of(path))
    doubled = {name: paths for name, paths in places.items() if len(paths) > 1}
    assert doubled.keys() == DOUBLED.keys(), {name: doubled[name] for name in doubled.keys() - DOUBLED.keys()}


@pytest.mark.parametrize("path", HANDLERS, ids=name_of)
def test_a_function_has_a_module_of_its_name(path: Path) -> None:
    """``functions/<stage>/<name>`` runs ``smallbox.<stage>.<name>``, or the room's module of that name."""
    stage, name = path.parent.relative_to(ROOT / "functions").parts
    room = IN_A_ROOM.get(f"{stage}/{name}", stage)
    assert f"smallbox.{room}.{name}" in set(imported(parsed(path)))
    assert (CORE / room / f"{name}.py").exists()


def test_no_module_is_named_after_nothing() -> None:
    """Names like ``run`` and ``utils`` say nothing of what a module does."""
    empty = {"run", "utils", "util", "helpers", "common", "misc", "base", "core"}
    assert [name_of(path) for path in sorted(CORE.rglob("*.py")) if path.stem in empty] == []
