"""Proves that the page of rules names every rule with its default, its unit and its meaning."""

import dataclasses
import re

import pytest

from infra.rules import rules_page
from smallbox import define

PAGE = rules_page()
ROWS = [re.split(r"(?<!\\) \| ", line.strip("| ")) for line in PAGE.splitlines() if line.startswith("| `")]


WRITTEN = [getattr(define, word) for word in define.__all__ if word != "Columns"]
RULES = [word for word in WRITTEN if isinstance(word, type) and dataclasses.is_dataclass(word)]


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_is_on_the_page(rule: type) -> None:
    """Each field of each class that a definition may import has a row in the class's section; columns are given."""
    section = PAGE.split(f"# {rule.__name__}\n")[1].split("\n##")[0]
    written = [field.name for field in dataclasses.fields(rule) if field.init]
    assert re.findall(r"^\| `(\w+)`", section, re.MULTILINE) == written


def test_every_row_says_its_default_its_unit_and_its_meaning() -> None:
    """A rule without a meaning is one that nobody can choose."""
    rows = [row for row in ROWS if "(" not in row[0]]
    assert {len(row) for row in rows} == {4}
    assert [row for row in rows if not all(cell.strip() for cell in row)] == []


def test_units_are_those_of_the_code() -> None:
    """A duration is called one, and a share has the range outside of which the class refuses it."""
    units = {row[0]: row[2] for row in ROWS if len(row) == 4}
    assert units["`every`"] == units["`known_after`"] == units["`within`"] == "duration"
    assert units["`min_coverage`"] == "0 to 1"
    assert units["`max_days`"] == "days"


def test_every_word_of_the_language_is_on_the_page() -> None:
    """What a definition may import is described; columns are given to it."""
    assert [
        word
        for word in define.__all__
        if word != "Columns" and not re.search(rf"^(#+ |\| `){word}\b", PAGE, re.MULTILINE)
    ] == []
