"""The findings of a day's report."""

from collections.abc import Mapping, Sequence
from typing import Any

from smallbox.cli.drills.site import Rung


def rung_of(report: Mapping[str, Any]) -> Sequence[Rung]:
    """What the check of a day found, from its report as it is stored."""
    return [
        Rung(one["kind"], one["cause"] or one["kind"], one["subject"], one["severity"], one["sentence"])
        for one in report["findings"]
    ]
