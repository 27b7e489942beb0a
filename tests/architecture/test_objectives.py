"""A kind of label is one module of ``smallbox/objectives``: nothing outside that room names one."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

from infra.deployment import ROOT
from tests.architecture.sources import CORE, imported, name_of, parsed

ROOM: Final = CORE / "objectives"
ABSTRACT: Final = frozenset(
    {
        "declared",
        "defaults",
        "measure",
        "objective",
        "permuted_importance",
        "probabilities",
        "stored_objective",
        "temperature",
        "tolerance",
        "scaling",
        "golden_section",
    }
)
"""The modules of the room that are no kind."""

KINDS: Final = frozenset(path.stem for path in ROOM.glob("[!_]*.py")) - ABSTRACT
CLASSES: Final = frozenset(
    node.name
    for kind in KINDS
    for node in parsed(ROOM / f"{kind}.py").body
    if isinstance(node, ast.ClassDef) and node.name.lower() == kind
)

ALLOWED: Final[Mapping[str, str]] = {
    "infra/rules.py": "the page of rules describes every kind that users can write",
    "layers/core/python/smallbox/define/__init__.py": "users write them beside everything else of a definition",
}
"""The files outside the room that import a kind, each with its reason."""

OUTSIDE: Final = [
    path
    for root in (CORE, ROOT / "functions", ROOT / "infra")
    for path in sorted(root.rglob("*.py"))
    if ROOM not in path.parents and not any(part.startswith(".") or part.endswith(".out") for part in path.parts)
]


def namings(tree: ast.AST) -> Iterator[str]:
    """Every place where code names a kind: an import of its module or class, its class, or its name as a text alone."""
    yield from (module for module in imported(tree) if module.removeprefix("smallbox.objectives.") in KINDS)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute):
            name = node.id if isinstance(node, ast.Name) else node.attr
            yield from (name,) * (name in CLASSES)
        elif isinstance(node, ast.Compare | ast.Match):
            texts = (one.value for one in ast.walk(node) if isinstance(one, ast.Constant))
            yield from (text for text in texts if isinstance(text, str) and text in KINDS)


def test_the_kinds_are_found() -> None:
    """Every kind has a class of its name, so that the next test looks for all of them."""
    assert {name.lower() for name in CLASSES} == KINDS >= {"binary", "multiclass", "regression", "ranking"}


@pytest.mark.parametrize("path", OUTSIDE, ids=name_of)
def test_no_file_outside_names_a_kind(path: Path) -> None:
    """No import, no ``isinstance``, no comparison with a kind's name, except in the files of the list."""
    assert name_of(path) in ALLOWED or list(namings(parsed(path))) == []


def test_every_exception_is_used() -> None:
    """A file of the list that names no kind any more is gone from the list too."""
    assert [name for name in ALLOWED if not list(namings(parsed(ROOT / name)))] == []


@pytest.mark.parametrize(
    "text",
    [
        "from smallbox.objectives.binary import Binary",
        "import smallbox.objectives.ranking",
        "isinstance(one, Regression)",
        "isinstance(one, define.Regression)",
        "if objective.kind == 'multiclass': pass",
        "if objective.kind in ('binary', 'other'): pass",
        "match kind:\n    case 'ranking': pass",
    ],
)
def test_a_naming_would_be_seen(text: str) -> None:
    """The search finds each form in which code could name a kind."""
    assert list(namings(ast.parse(text)))
