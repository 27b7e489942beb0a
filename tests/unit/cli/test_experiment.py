"""Proves what people read of an interleaving; what they read of an A/B test is with the samples of all commands."""

import argparse
from typing import Any, Final

import pytest

from smallbox.cli import experiment
from smallbox.cli.experiment import experiment_blocks
from smallbox.cli.output import TableBlock

INTERLEAVING: Final[dict[str, Any]] = {
    "name": "trial", "kind": "interleaving", "state": "stopped", "since": "2013-03-01T00:00:00Z", "who": "ann",
    "why": "a new ranker", "stopped": {"who": "smallbox", "why": "2 is preferred", "at": "2013-03-08T00:00:00Z"},
    "result": {"verdict": "better", "sentence": "2 is preferred", "prefer": {"1": 5, "2": 55}, "sign_p": 1e-9},
    "rules": {"pairs": "competitive"},
    "days": [
        {
            "as_of": "2013-03-08T00:00:00Z", "verdict": "better",
            "preference": {"units": 60, "value": 0.83, "low": 0.6, "high": None, "error": 0.05},
        }
    ],
}  # fmt: skip


def test_an_interleaving_shows_its_verdict_and_the_preference_of_each_day() -> None:
    """Also before its first look, when there is neither."""
    *lines, table, test, counted = experiment_blocks(INTERLEAVING)
    assert lines[1:] == ["stopped 2013-03-08T00:00:00Z by smallbox: 2 is preferred", "verdict: better: 2 is preferred"]
    assert isinstance(table, TableBlock)
    assert table.rows == [["2013-03-08T00:00:00Z", "better", 60, 0.83, 0.6, None]]
    assert "sign test, p: 1e-09" in str(test)
    assert str(counted).startswith("counted: the rounds in which the versions would have picked different rows")
    (head,) = experiment_blocks({**INTERLEAVING, "state": "running", "stopped": {}, "result": {}, "days": []})
    assert head == "trial: running since 2013-03-01T00:00:00Z, by ann: a new ranker"


class _Sent:
    """Remembers what the command sends to the deployment."""

    def invoke(self, function: str, document: dict[str, Any], about: str) -> dict[str, Any]:
        self.function, self.document, self.about = function, document, about
        return INTERLEAVING


def test_what_is_asked_of_an_interleaving_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kind, merge, pairs and rules, with who asks; what was not asked is left out."""
    sent, parser = _Sent(), argparse.ArgumentParser()
    monkeypatch.setattr(experiment, "system_of", lambda _: sent)
    experiment.register(parser.add_subparsers())
    made = "--merge team_draft --pairs competitive"
    line = f"experiment start m --kind interleaving --versions 3,5 --unit user {made} --max-days 9 --why new"
    arguments = parser.parse_args(line.split())
    assert arguments.run(arguments) == 0
    who = sent.document.pop("who")
    assert who
    assert sent.document == {
        "model": "m", "action": "start", "kind": "interleaving", "versions": [3, 5], "unit": "user",
        "merge": "team_draft", "pairs": "competitive", "max_days": 9, "why": "new",
    }  # fmt: skip
