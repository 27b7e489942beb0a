"""How often the estimated losses of past days were right, once the labels had come."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from smallbox.monitoring.estimated_loss import LossEstimate

MIN_RECONCILED: Final = 10
"""Fewer reconciled days decide nothing."""

MIN_RIGHT: Final = 0.8
"""Below this share of days within their interval the estimates decide nothing."""


def estimate_record(day: str, version: int, estimate: LossEstimate) -> dict[str, Any]:
    """What is stored of a day's estimate, JSON-ready; ``realised`` is ``None`` until the labels are known.

    Args:
        day: ``YYYY-MM-DD``.
        version: the version that answered.
        estimate: the day's.
    """
    return {"day": day, "version": version, **estimate.as_json(), "realised": None}


def reconciled(record: Mapping[str, Any], realised: float) -> dict[str, Any]:
    """The record with the mean loss that the day's labels gave; the estimate itself is never changed."""
    return {**record, "realised": realised}


@dataclass(frozen=True, slots=True)
class TrackRecord:
    """The reconciled days of one version and method.

    Attributes:
        days: how many.
        right: how many had their realised loss within the interval.
        error: the mean absolute error of the estimates; ``None`` without days.
        error_unchanged: that of the reference's mean loss as the estimate of each day.
    """

    days: int
    right: int
    error: float | None
    error_unchanged: float | None

    @property
    def is_trusted(self) -> bool:
        """Whether the estimates may be used for a decision."""
        return self.days >= MIN_RECONCILED and self.right >= MIN_RIGHT * self.days

    @property
    def is_distrusted(self) -> bool:
        """Whether enough days show that the estimates are wrong: no record is neither trusted nor distrusted."""
        return self.days >= MIN_RECONCILED and not self.is_trusted

    @property
    def sentence(self) -> str:
        """The record in words."""
        if not self.days:
            return "no estimate has been compared with labels yet; it decides nothing"
        told = f"right within its interval on {self.right} of {self.days} days"
        if self.days < MIN_RECONCILED:
            return f"{told}; it decides nothing before {MIN_RECONCILED} days"
        helps = "better" if (self.error or 0) < (self.error_unchanged or 0) else "no better"
        told += (
            f"; its error of {self.error:.4f} is {helps} than that of supposing no change, {self.error_unchanged:.4f}"
        )
        return told if self.is_trusted else f"{told}; below {MIN_RIGHT:.0%}, so it decides nothing"


def track_record(records: Sequence[Mapping[str, Any]]) -> TrackRecord:
    """The track record of estimates; days that were refused or have no labels yet do not count."""
    known = [one for one in records if one["realised"] is not None and one["loss"] is not None]
    if not known:
        return TrackRecord(0, 0, None, None)
    right = sum(one["low"] <= one["realised"] <= one["high"] for one in known)
    errors = [abs(one["realised"] - one["loss"]) for one in known]
    unchanged = [abs(one["realised"] - one["unchanged"]) for one in known]
    return TrackRecord(len(known), right, sum(errors) / len(known), sum(unchanged) / len(known))
