"""Proves that closing a day runs the upkeep when it is due, says so, and is not held up by one that fails."""

from collections.abc import Mapping
from typing import Any

import pytest

from smallbox.cli.models import close_day
from smallbox.errors import Unavailable


class FakeSystem:
    """A system that notes what was asked of it."""

    def __init__(self, answer: str | Exception | None) -> None:
        self.asked: list[Any] = []
        self._answer = answer

    def upkeep(self, as_of: str | None, *, only_when_due: bool) -> Mapping[str, Any]:
        """Note it."""
        self.asked.append(("upkeep", as_of, only_when_due))
        if isinstance(self._answer, Exception):
            raise self._answer
        return {"due": self._answer}

    def run(self, machine: str, document: Mapping[str, Any]) -> Mapping[str, Any]:
        """Note it."""
        self.asked.append((machine, document))
        return {"decision": "wait"}


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (None, {}),
        ("records/a has 412 files", {"upkeep": "records/a has 412 files; so the upkeep was run first"}),
        (Unavailable("the upkeep failed"), {"upkeep": "the upkeep failed; the day was closed without it"}),
    ],
)
def test_a_day_begins_with_the_upkeep_that_is_due(answer: str | Exception | None, said: dict[str, str]) -> None:
    """The upkeep comes before the day, as of the same moment; the document of the day tells of it."""
    system: Any = FakeSystem(answer)
    assert close_day(system, "m", "2013-03-02T00:00:00Z") == {"decision": "wait", **said}
    assert system.asked == [
        ("upkeep", "2013-03-02T00:00:00Z", True),
        ("DailyMachine", {"model": "m", "as_of": "2013-03-02T00:00:00Z"}),
    ]
