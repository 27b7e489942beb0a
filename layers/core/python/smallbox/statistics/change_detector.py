"""Which days ring: evidence of change in many streams at once, with a stated budget of false alarms."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from smallbox.arrays import Floats
from smallbox.statistics.change_evidence import ChangeEvidence, MovedStream
from smallbox.statistics.day_streams import DayStreams
from smallbox.statistics.forecast_residuals import DayResiduals, Forecaster, ObservedDay
from smallbox.statistics.same_season import is_of_the_season
from smallbox.statistics.student_scores import SCORE_LIMIT, StudentTails

_REFIT_DAYS: Final = 7
_NEW_LEVEL_DAYS: Final = 7
_SLACK: Final = 2.5
_KEPT: Final = 0.5
"""Evidence that falls below this share of the day before does not confirm it."""


@dataclass(frozen=True, slots=True)
class DetectorRule:
    """How often a detector may ring by chance, and how it learns.

    Attributes:
        days_per_false_alarm: at most one false alarm in so many days on average.
        learning_days: days of a stream before it counts.
        half_life: days after which a day weighs half in what is usual.
        relearning_days: days for which a stream that rang is silent; its last week is the new level.
        confirming_days: observed days in a row on which the evidence must suffice without falling back; with 1 a single
            day can ring.
    """

    days_per_false_alarm: float = 90.0
    learning_days: int = 21
    half_life: float = 60.0
    relearning_days: int = 14
    confirming_days: int = 2

    @property
    def limit(self) -> float:
        """The evidence at which the detector rings.

        It is below the days by a factor that simulations chose: confirmation and the cut of scores make false alarms
        three to eight times rarer than the proof allows.
        """
        return self.days_per_false_alarm / _SLACK


@dataclass(frozen=True, slots=True)
class DayVerdict:
    """What the detector says of one day.

    Attributes:
        day: days since 1970-01-01.
        is_alarm: whether a lasting change rings; each change rings once.
        evidence: against "nothing changed", over all streams; an alarm needs the rule's ``limit``.
        moved: the streams that an alarm names, the surest first; of them a tenth at most is wrong on average.
        seasonal: streams that moved to where they were in the same season a year ago; they do not ring.
        blips: streams that are far from usual on this day; shown, never rung.
        learning: streams that do not count yet, with the number of days seen.
        relearning: streams that rang and take their new level.
        is_left_out: whether the day was declared as expected to differ.
    """

    day: int
    is_alarm: bool
    evidence: float
    moved: tuple[MovedStream, ...] = ()
    seasonal: tuple[MovedStream, ...] = ()
    blips: tuple[MovedStream, ...] = ()
    learning: Mapping[str, int] = field(default_factory=dict)
    relearning: tuple[str, ...] = ()
    is_left_out: bool = False


def detect(history: DayStreams, rule: DetectorRule | None = None) -> list[DayVerdict]:
    """Replay the days, and say of each whether a lasting change rings.

    The same history gives the same verdicts, and a verdict depends on no later day. For a stream and a shift the
    evidence is the Shiryaev-Roberts sum of the products of ``exp(shift * z - shift**2 / 2)`` over the days since each
    possible onset, with ``z`` the normal score of the day's residual. The mean over streams (by weight) and shifts,
    less the days passed, is a supermartingale; an alarm at ``limit`` takes at least so much from it. So in ``T`` days
    there are at most ``T / limit`` false alarms on average, whatever depends on what between streams (after Shin,
    Ramdas, Rinaldo, NEJSDS 2, 2024), as far as the scores are normal. That is ``_SLACK`` times the budget; simulations
    (``benchmarks/drift.py``) stay within the budget itself.

    Args:
        history: all days that are known, from the first of the reference on.
        rule: by default one false alarm in 90 days.
    """
    replay = _Replay(history, rule or DetectorRule())
    return [replay.verdict(seen) for seen in _observed_days(history)]


class _Replay:
    """The state of a detector between two days."""

    def __init__(self, history: DayStreams, rule: DetectorRule) -> None:
        streams = len(history.names)
        self._history, self._rule = history, rule
        self._passed: list[ObservedDay] = []
        self._forecaster = Forecaster(streams, rule.half_life)
        self._tails = StudentTails(streams, rule.half_life)
        self._evidence = ChangeEvidence(history.shares())
        self._seen = np.zeros(streams, np.int64)
        self._silent_until = np.full(streams, -1)
        self._enough_days = 0
        self._before = 0.0

    def verdict(self, seen: ObservedDay) -> DayVerdict:
        """Judge one day, then learn from it; days without data do not count."""
        if not seen.known.any():
            is_left_out = seen.day in self._history.left_out
            return DayVerdict(seen.day, is_alarm=False, evidence=self._evidence.total, is_left_out=is_left_out)
        row = len(self._passed)
        if row:
            self._forecaster.pass_days(seen.day - self._passed[-1].day)
        self._end_relearning(row)
        found = self._forecaster.residuals(seen)
        is_ready = (self._silent_until < row) & (self._seen >= self._rule.learning_days)
        residuals = np.where(found.can_tell, found.raw / found.spread, np.nan)
        scores = self._evidence.add(seen.day, residuals, found.gap, is_ready, self._tails.shapes(found.degrees))
        verdict = self._judge(seen.day, scores, row)
        self._learn(seen, row, found, residuals)
        if verdict.moved or verdict.seasonal:
            self._silence(row, verdict)
        return verdict

    def _judge(self, day: int, scores: Floats, row: int) -> DayVerdict:
        names, spreads = self._history.names, self._forecaster.daily_spreads
        is_enough = self._confirmed_days() >= self._rule.confirming_days
        found = list(self._evidence.moved(names, spreads())) if is_enough else []
        seasonal = tuple(one for one in found if is_of_the_season(self._history, one, day))
        is_young = self._seen < self._rule.learning_days
        is_odd = bool((np.abs(scores) >= SCORE_LIMIT).any())
        return DayVerdict(
            day,
            len(found) > len(seasonal),
            self._evidence.total,
            moved=tuple(one for one in found if one not in seasonal),
            seasonal=seasonal,
            blips=tuple(self._evidence.blips(names, spreads(), scores)) if is_odd else (),
            learning={names[at]: int(self._seen[at]) for at in np.flatnonzero(is_young).tolist()},
            relearning=tuple(names[at] for at in np.flatnonzero(self._silent_until >= row).tolist()),
        )

    def _confirmed_days(self) -> int:
        """For how many days the evidence has sufficed without falling back, as it does after a single odd day."""
        total, before = self._evidence.total, self._before
        is_enough, is_kept = total >= self._rule.limit, total >= before * _KEPT
        self._enough_days = (self._enough_days * is_kept + 1) if is_enough else 0
        self._before = total
        return self._enough_days

    def _learn(self, seen: ObservedDay, row: int, found: DayResiduals, residuals: Floats) -> None:
        self._passed.append(seen)
        is_taught = seen.known & (self._silent_until < row)
        self._forecaster.learn(seen, found, is_taught)
        self._tails.learn(np.where(is_taught, residuals, np.nan))
        self._seen += seen.known
        if row % _REFIT_DAYS == 0 or int(self._seen.max()) == self._rule.learning_days:
            self._forecaster.refit()
            self._tails.refit()

    def _silence(self, row: int, verdict: DayVerdict) -> None:
        """Start anew after a change; the streams that moved are silent while they take their new level."""
        named = {one.name for one in (*verdict.moved, *verdict.seasonal)}
        is_moved = np.array([name in named for name in self._history.names]) | self._evidence.suspects(self._rule.limit)
        self._silent_until[is_moved] = row + self._rule.relearning_days
        self._evidence.restart()
        self._enough_days, self._before = 0, 0.0

    def _end_relearning(self, row: int) -> None:
        """Give the streams whose silence ends their new level: that of the last week."""
        is_due = self._silent_until == row - 1
        if is_due.any() and row:
            self._forecaster.move_levels(self._passed[-_NEW_LEVEL_DAYS:], is_due)


def _observed_days(history: DayStreams) -> list[ObservedDay]:
    known = history.known()
    values = np.where(known, history.values, 0.0)
    variances = np.zeros_like(values) if history.variances is None else np.nan_to_num(history.variances)
    return [ObservedDay(*row) for row in zip(history.days, values, variances, known, strict=True)]
