"""Proves what `smallbox monitor` asks the system for."""

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
