"""Proves what `smallbox monitor` asks the system for."""

import getpass
from collections.abc import Mapping
from typing import Any

import pytest

from smallbox.cli import main, monitoring


class Doors:
    """Plays the running system: remembers what it was asked."""

    asked: list[Any]

    def __init__(self, stack: object) -> None:
        del stack

    def request(self, method: str, path: str) -> Mapping[str, Any]:
        """An answer of the API."""
        self.asked.append((method, path))
        return {"model": "fraud", "day": "2013-03-01", "sentences": [], "checks": [], "accuracy": {}}

    def accept(self, document: Mapping[str, Any]) -> Mapping[str, Any]:
        """An answer of the function."""
        self.asked.append(document)
        return {"version": 1}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the system was asked."""
    found: list[Any] = []
    monkeypatch.setattr(Doors, "asked", found, raising=False)
    monkeypatch.setattr(monitoring, "system_of", Doors)
    return found


def test_a_report_is_read_by_its_day(asked: list[Any]) -> None:
    """It is the API's own document."""
    assert main.main(["monitor", "show", "fraud", "2013-03-01"]) == 0
    assert asked == [("GET", "/models/fraud/metrics/2013-03-01")]


def test_accepting_needs_a_reason_and_says_who(asked: list[Any]) -> None:
    """Without a reason nothing is asked; with one, the function gets it with the user's name and the channel."""
    with pytest.raises(SystemExit, match="2"):
        main.main(["monitor", "accept", "fraud"])
    assert asked == []
    assert main.main(["monitor", "accept", "fraud", "--why", "a new tariff"]) == 0
    said = {"model": "fraud", "why": "a new tariff", "channel": "online", "by": getpass.getuser()}
    assert asked == [said]
