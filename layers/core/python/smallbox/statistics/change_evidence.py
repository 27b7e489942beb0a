"""Evidence of change in many streams, and the streams that carry it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from smallbox.arrays import Bools, Floats, Ints
from smallbox.statistics.student_scores import SCORE_LIMIT, normal_scores

_SHIFTS: Final = (-2.0, -1.0, -0.5, 0.5, 1.0, 2.0)
"""The shifts that evidence is collected for, in spreads of a day."""
_NAMED_WRONGLY: Final = 0.1
_HIGHEST: Final = 1e250


@dataclass(frozen=True, slots=True)
class MovedStream:
    """A stream that is named as the cause of an alarm, or as unusual on one day.

    Attributes:
        name: the stream.
        raw: how far it moved, in its own unit: the mean distance from the usual since the change began.
        daily: the same in standard deviations of a usual day; its sign is the direction.
        since: the first day of the change, as far as it shows.
        evidence: how many days of chance it would take on average to see as much.
    """

    name: str
    raw: float
    daily: float
    since: int
    evidence: float


class ChangeEvidence:
    """Shiryaev-Roberts sums by stream and shift, since the last alarm.

    Args:
        shares: the weight of each stream; their sum is 1.
    """

    def __init__(self, shares: Floats) -> None:
        self._shares = shares
        self._shifts = np.array(_SHIFTS)
        self._penalties = self._shifts**2 / 2
        self.restart()

    def restart(self) -> None:
        """Forget all evidence."""
        self.total = 0.0
        self._sums = np.zeros((len(self._shares), len(_SHIFTS)))
        self._days: list[int] = []
        self._scores: list[Floats] = []
        self._gaps: list[Floats] = []

    def add(self, day: int, residuals: Floats, gaps: Floats, is_ready: Bools, shapes: Ints) -> Floats:
        """Add a day; returns the normal score of each stream, NaN where it does not count.

        Args:
            day: days since 1970-01-01.
            residuals: in units of their spread; NaN where a stream has no forecast.
            gaps: distance of each value from the usual.
            is_ready: which streams count.
            shapes: the tails of each.
        """
        is_judged = is_ready & np.isfinite(residuals)
        scores = np.where(is_judged, normal_scores(np.where(is_judged, residuals, 0.0), shapes), np.nan)
        factors = np.exp(scores[:, None] * self._shifts - self._penalties)
        np.copyto(self._sums, np.minimum((self._sums + 1) * factors, _HIGHEST), where=is_judged[:, None])
        self._sums[~is_ready] = 0.0
        self.total = float(self._shares @ self._by_stream())
        self._days.append(day)
        self._scores.append(scores)
        self._gaps.append(gaps)
        return scores

    def _by_stream(self) -> Floats:
        by_stream: Floats = self._sums.sum(axis=1) / len(_SHIFTS)
        return by_stream

    def suspects(self, limit: float) -> Bools:
        """Which streams would ring if they were alone; they may show the same change, only later."""
        is_suspect: Bools = self._by_stream() >= limit
        return is_suspect

    def moved(self, names: Sequence[str], daily: Floats) -> Iterator[MovedStream]:
        """The streams that carry the evidence, the surest first; at least one.

        Weighted e-BH at a tenth (Wang and Ramdas, JRSS-B 84, 2022): the ``k`` largest of share times evidence that are
        at least ``1 / (0.1 k)``.

        Args:
            names: of the streams.
            daily: the standard deviation of a usual day of each.
        """
        weighted = self._shares * self._by_stream()
        order = np.argsort(-weighted, kind="stable")
        ranks = np.arange(1, len(order) + 1)
        enough = np.flatnonzero(weighted[order] * ranks * _NAMED_WRONGLY >= 1)
        count = int(enough[-1]) + 1 if len(enough) else 1
        return (self._story(int(at), names[at], daily[at]) for at in order[:count])

    def _story(self, at: int, name: str, daily: float) -> MovedStream:
        """Since when a stream has moved, and how far: the onset is where its likelihood was lowest."""
        shift = _SHIFTS[int(np.argmax(self._sums[at]))]
        scores = np.nan_to_num(np.array([row[at] for row in self._scores]))
        path = np.concatenate([[0.0], np.cumsum(shift * scores - shift**2 / 2)])
        onset = len(path) - 2 - int(np.argmin(path[:-1][::-1]))
        raw = float(np.mean([row[at] for row in self._gaps[onset:]]))
        evidence = float(self._by_stream()[at])
        return MovedStream(name, raw, raw / max(float(daily), 1e-300), self._days[onset], evidence)

    def blips(self, names: Sequence[str], daily: Floats, scores: Floats) -> Iterator[MovedStream]:
        """The streams whose score of the last day is at the limit."""
        for at in np.flatnonzero(np.abs(scores) >= SCORE_LIMIT).tolist():
            raw = float(self._gaps[-1][at])
            evidence = float(self._by_stream()[at])
            yield MovedStream(names[at], raw, raw / max(float(daily[at]), 1e-300), self._days[-1], evidence)
