"""Proves what `smallbox incidents` asks the system for."""

import getpass
from collections.abc import Mapping
from typing import Any

import pytest

from smallbox.cli import incidents, main
from tests.unit.cli.samples import INCIDENT

ID = str(INCIDENT["id"])
OVER: dict[str, Any] = {**INCIDENT, "id": "late_arrival-2013-02-01-loss", "state": "closed"}


class Doors:
    """Plays the running system with two models, one of which has an incident that is over and one that is not."""

    asked: list[Any]

    def __init__(self, stack: object) -> None:
        del stack

    def request(self, _method: str, path: str) -> Mapping[str, Any]:
        """An answer of the API."""
        if path == "/models":
            return {"models": [{"name": "late_arrival"}, {"name": "fraud"}]}
        return {"incidents": [OVER, INCIDENT] if path == "/models/late_arrival/incidents" else []}

    def change_incident(self, document: Mapping[str, Any]) -> Mapping[str, Any]:
        """An answer of the function."""
        self.asked.append(document)
        return INCIDENT


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the system was asked to change."""
    found: list[Any] = []
    monkeypatch.setattr(Doors, "asked", found, raising=False)
    monkeypatch.setattr(incidents, "system_of", Doors)
    return found


@pytest.mark.parametrize(
    ("words", "shown", "hidden"),
    [
        ("", ID, OVER["id"]),
        ("--all", OVER["id"], "none"),
        ("late_arrival", ID, OVER["id"]),
        ("fraud", "incidents: none", ID),
        (f"late_arrival {ID}", "ann: I look", "last found 2013-03-01"),
        (ID, "ann: I look", "last found 2013-03-01"),
        (f"late_arrival {OVER['id']}", "closed", ID),
    ],
)
def test_incidents_are_listed_or_one_is_told(
    asked: list[Any], capsys: pytest.CaptureFixture[str], words: str, shown: str, hidden: str
) -> None:
    """Those that are not closed, of one model or of all; with an id, which names its model, the story of that one."""
    assert main.main(["incidents", *words.split()]) == 0
    said = capsys.readouterr().out
    assert shown in said
    assert hidden not in said
    assert asked == []


@pytest.mark.parametrize("action", ["acknowledge", "close"])
def test_a_change_needs_a_reason_and_says_who(asked: list[Any], action: str) -> None:
    """Without a reason nothing is asked; with one, the function gets it with the user's name."""
    assert main.main(["incidents", action, ID]) == 1
    assert main.main(["incidents", action, "--why", "a test"]) == 1
    assert asked == []
    assert main.main(["incidents", action, ID, "--why", "a test"]) == 0
    assert asked == [{"incident": ID, "action": action, "why": "a test", "by": getpass.getuser()}]


@pytest.mark.parametrize("words", ["late_arrival late_arrival-2012-01-01-loss", "a b c"])
def test_what_is_not_there_is_said(asked: list[Any], capsys: pytest.CaptureFixture[str], words: str) -> None:
    """An unknown id, or too many words."""
    assert main.main(["incidents", *words.split()]) == 1
    assert "smallbox incidents" in capsys.readouterr().err
    assert asked == []
