"""What rang, from the documents that a system stores."""

from collections.abc import Mapping, Sequence
from typing import Any

from smallbox.cli.drills.site import Rung
from smallbox.release.guard import GUARD


def rung_of(report: Mapping[str, Any]) -> Sequence[Rung]:
    """What the check of a day found, from its report as it is stored."""
    return [
        Rung(one["kind"], one["cause"] or one["kind"], one["subject"], one["severity"], one["sentence"])
        for one in report["findings"]
    ]


def opened_rung(incident: Mapping[str, Any]) -> Rung:
    """What an incident says, from its record."""
    subject = ", ".join(incident["subjects"])
    return Rung(incident["kind"], incident["cause"], subject, "incident", incident["sentence"])


def releases_of(history: Sequence[Mapping[str, Any]]) -> Sequence[str]:
    """The events of a model's history, with the guard's name where it was the guard.

    >>> releases_of([{"event": "start", "who": "ann"}, {"event": "roll_back", "who": "guard"}])
    ['start', 'roll_back by guard']
    """
    return [f"{one['event']} by {GUARD}" if one.get("who") == GUARD else one["event"] for one in history]
