"""What is stored of a shadow: a small document for each day, so that a look reads no rows."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from smallbox.ports import Documents
from smallbox.statistics.paired_days import PairedDay
from smallbox.times import DAY, Micros, day_of


class ShadowDays:
    """The days of one candidate's shadow, in the metrics table.

    A day has ``day``, ``champion`` (the version that it was compared with), ``asked`` (figures of the answers), and
    once its labels are complete ``settled`` (the :class:`~smallbox.statistics.paired_days.PairedDay`, calibration and
    slices).

    Args:
        metrics: the metrics table.
        model: the model's name.
        version: the candidate.
    """

    def __init__(self, metrics: Documents, model: str, version: int) -> None:
        self._metrics = metrics
        self._partition = f"shadow#{model}#{version:06d}"

    def all(self) -> Sequence[Mapping[str, Any]]:
        """The documents, oldest first."""
        return self._metrics.query(self._partition, "day#")

    def of(self, champion: int) -> Sequence[Mapping[str, Any]]:
        """The documents of the days that were compared with a champion; another champion is another question."""
        return [day for day in self.all() if day["champion"] == champion]

    def keep(self, day: Micros, document: Mapping[str, Any]) -> None:
        """Store a day; it replaces what was stored of it."""
        self._metrics.put(self._partition, f"day#{day_of(day)}", {"day": day_of(day), **document})


def paired_of(days: Sequence[Mapping[str, Any]]) -> list[PairedDay]:
    """The paired losses of the days whose labels are complete."""
    return [PairedDay(**day["settled"]["paired"]) for day in days if day.get("settled")]


def level_set_of(days: Sequence[Mapping[str, Any]]) -> list[PairedDay]:
    """The paired losses with each day's level set, of the days that have them."""
    found = (day["settled"].get("level_set") for day in days if day.get("settled"))
    return [PairedDay(**one) for one in found if one]


def as_settled(day: Micros, found: Sequence[PairedDay]) -> dict[str, Any]:
    """The paired losses of a day as a document; a day without labelled rows has zeros."""
    paired = sum(found[1:], found[0]) if found else PairedDay(day // DAY, 0, 0.0, 0.0, 0.0)
    return {"paired": asdict(paired)}


def merged_slices(days: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The slices of all days together, the one that loses most by the candidate first.

    Each has ``slice``, ``rows``, and the mean loss of both versions. A slice is one of many: what differs in it alone
    is a hint, and no verdict.
    """
    sums: dict[str, list[float]] = {}
    for day in days:
        for name, figures in ((day.get("settled") or {}).get("slices") or {}).items():
            sums[name] = [a + b for a, b in zip(sums.get(name, [0, 0.0, 0.0]), figures, strict=True)]
    rows = [
        {"slice": name, "rows": int(count), "champion_loss": ours / count, "candidate_loss": theirs / count}
        for name, (count, ours, theirs) in sums.items()
    ]
    return sorted(rows, key=lambda one: float(one["champion_loss"]) - float(one["candidate_loss"]))
