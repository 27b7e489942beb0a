"""The verdict of a shadow: better, not worse, worse, wait or cannot tell, with its evidence.

Both versions are judged on the same rows. Rows of one day depend on each other, so the unit is the day, in UTC, with
the correlation of a day and the next. What is estimated is the mean over rows: a day counts by its rows. Three
questions are asked of the days, each by a confidence sequence, so that the verdict may be read at every look:

- worse: the mean of ``difference - margin * champion's loss`` lies above 0,
- not worse: the same mean lies below 0,
- better: the mean of ``difference`` lies below 0.

The margin is a share of the champion's loss, which is itself estimated; the mean above needs no plug-in.

A candidate climbs on half of ``max_days`` at the earliest: few days have seldom seen a bad one, and bad days decide
the mean. It is stopped as soon as it is shown to be worse.

Each bound has the whole error, ``1 - confidence``. A version is truly worse by more than the margin, or it is not: only
one of "worse" and "not worse" can be false, so neither needs to share. "Better" ends the shadow as "not worse" does.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from smallbox.arrays import Floats, np
from smallbox.define.release_rules import Shadow
from smallbox.statistics.estimates import none_if_nan
from smallbox.statistics.paired_days import (
    PairedDay,
    day_sequence,
    effective_units,
    merged_days,
    neighbour_correlation,
    neighbour_factor,
    ratio_error,
)
from smallbox.statistics.sequences import ConfidenceSequence, UnitsNeeded, units_needed

ShadowAction = Literal["better", "not_worse", "worse", "wait", "cannot_tell"]

PLANNED_POWER: Final = 0.8
"""The probability with which the stated numbers of days end in a verdict; a little less while days are few."""


@dataclass(frozen=True, slots=True)
class ShadowVerdict:
    """What the shadow has shown so far.

    Attributes:
        action: ``better`` and ``not_worse`` climb on, ``worse`` stops, ``wait`` looks again, ``cannot_tell`` ends it.
        why: one sentence with the figures.
        evidence: the figures as a JSON document; ``None`` for what is unknown.
    """

    action: ShadowAction
    why: str
    evidence: Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class _Days:
    """The sums of each day as arrays of one length, days without rows left out."""

    rows: Floats
    champion: Floats
    difference: Floats
    squares: float

    @property
    def mean_rows(self) -> float:
        return float(self.rows.mean()) if len(self.rows) else math.nan

    def over(self, sums: Floats) -> float:
        return float(sums.sum() / self.rows.sum()) if len(self.rows) else math.nan


@dataclass(frozen=True, slots=True)
class _Sequences:
    """The difference of mean losses, and how far it lies above the margin."""

    difference: ConfidenceSequence
    over_margin: ConfidenceSequence


def judge_shadow(
    rule: Shadow, days: Sequence[PairedDay], elapsed_days: float, level_set: Sequence[PairedDay] = ()
) -> ShadowVerdict:
    """Judge a candidate on the days that both versions scored.

    Args:
        rule: margin, longest duration and confidence.
        days: the records of days whose labels are complete, or of parts of such days, in any order. A day that still
            gains labels must not be among them: early labels are unlike late ones. Days of a replay before the shadow
            began count as any other.
        elapsed_days: how long the shadow has run.
        level_set: the same days with the losses of both versions after the level of each day is set
            (:meth:`~smallbox.objectives.objective.Objective.with_level_set`). They say who ranks better, need fewer
            rows for it, and do not decide.
    """
    found = _arrays(days)
    sequences = _sequences(rule, found)
    evidence = _evidence(rule, found, sequences) | _ranking(rule, _arrays(level_set))
    action = _action(rule, sequences, found, elapsed_days)
    return ShadowVerdict(action, _sentence(action, rule, evidence, elapsed_days), evidence)


def _arrays(days: Sequence[PairedDay]) -> _Days:
    kept = [day for day in merged_days(days) if day.rows]
    rows, champion, candidate = (
        np.array([getattr(day, name) for day in kept], dtype=float) for name in ("rows", "champion", "candidate")
    )
    return _Days(rows, champion, candidate - champion, sum(day.difference_squared for day in kept))


def _sequences(rule: Shadow, days: _Days) -> _Sequences:
    """Two-sided sequences at twice the error: each of their bounds alone has the error once."""
    error, tuned_for = 2 * (1 - rule.confidence), _earliest(rule)
    over_margin = days.difference - rule.max_loss_increase * days.champion
    return _Sequences(*(day_sequence(one, days.rows, error, tuned_for) for one in (days.difference, over_margin)))


def _earliest(rule: Shadow) -> int:
    """The fewest days on which a candidate climbs; the bounds are narrowest there."""
    return max(rule.max_days // 2, 2)


def _action(rule: Shadow, sequences: _Sequences, days: _Days, elapsed_days: float) -> ShadowAction:
    if sequences.over_margin.low > 0:
        return "worse"
    is_last = elapsed_days >= rule.max_days
    if is_last or round(effective_units(days.rows)) >= _earliest(rule):
        if sequences.difference.high < 0:
            return "better"
        if sequences.over_margin.high < 0:
            return "not_worse"
    return "cannot_tell" if is_last else "wait"


def _evidence(rule: Shadow, days: _Days, sequences: _Sequences) -> dict[str, Any]:
    difference, margin = sequences.difference, rule.max_loss_increase * days.over(days.champion)
    figures = {
        "champion_loss": days.over(days.champion),
        "candidate_loss": days.over(days.champion + days.difference),
        "difference": difference.value,
        "low": difference.low,
        "high": difference.high,
        "margin": margin,
        "over_margin_low": sequences.over_margin.low,
        "over_margin_high": sequences.over_margin.high,
        "design_effect": _design_effect(days),
        "day_correlation": neighbour_correlation(days.difference, days.rows),
    }
    counts = {"unit": "day", "days": len(days.rows), "effective_days": _rounded(effective_units(days.rows))}
    counts["earliest_days"] = _earliest(rule)
    known = {name: _rounded(value) for name, value in figures.items()}
    needed = {
        "needed_if_equal": _needed(rule, days, margin),
        "needed": _needed(rule, days, abs(sequences.over_margin.value)),
    }
    return {**counts, "rows": int(days.rows.sum()), "confidence": rule.confidence, **known, **needed}


def _design_effect(days: _Days) -> float:
    """By how much the variance over days exceeds that over rows taken as independent; NaN where there is none."""
    total = float(days.rows.sum())
    by_days = ratio_error(days.difference, days.rows) ** 2
    by_rows = (days.squares - float(days.difference.sum()) ** 2 / total) / (total * (total - 1)) if total > 1 else 0.0
    return by_days / by_rows if by_rows > 0 else math.nan


def _ranking(rule: Shadow, days: _Days) -> dict[str, Any]:
    """The difference of losses after the level of each day is set; empty without such days."""
    if not len(days.rows):
        return {}
    found = day_sequence(days.difference, days.rows, 2 * (1 - rule.confidence), _earliest(rule))
    figures = {"difference": found.value, "low": found.low, "high": found.high}
    return {"level_set": {name: _rounded(value) for name, value in figures.items()}}


def _needed(rule: Shadow, days: _Days, distance: float) -> dict[str, int] | None:
    """How many days and rows end in a verdict, if the truth lies so far from the margin; ``None`` where unknown."""
    over_margin = days.difference - rule.max_loss_increase * days.champion
    factor = len(days.rows) * neighbour_factor(over_margin, days.rows)
    deviation = ratio_error(over_margin, days.rows) * math.sqrt(factor)
    if not (deviation > 0 and distance > 0):
        return None
    needed: UnitsNeeded = units_needed(deviation, distance, 2 * (1 - rule.confidence), PLANNED_POWER)
    rows = math.ceil(needed.sequential * days.mean_rows)
    return {"days": needed.sequential, "rows": rows, "days_at_one_look": needed.at_once}


def _sentence(action: ShadowAction, rule: Shadow, evidence: Mapping[str, Any], elapsed_days: float) -> str:
    if not evidence["days"]:
        return f"after {elapsed_days:.0f} days no day has labelled rows that both versions scored"
    worse = f"a loss {rule.max_loss_increase:.1%} above the champion's"
    told = {
        "better": "the candidate is better",
        "not_worse": f"the candidate is not worse: {worse} is ruled out",
        "worse": f"the candidate is worse: its loss is more than {rule.max_loss_increase:.1%} above the champion's",
        "wait": f"not decided yet, a candidate climbs after {_earliest(rule)} days of labels at the earliest",
        "cannot_tell": f"after {elapsed_days:.0f} days {worse} is neither shown nor ruled out",
    }
    return f"{told[action]}; {_figures(evidence)}{_ranks(evidence)}{_takes(action, evidence)}"


def _figures(evidence: Mapping[str, Any]) -> str:
    losses = "mean loss {candidate_loss:.4g} against {champion_loss:.4g}".format_map(evidence)
    bounds = "{low:+.3g} to {high:+.3g}".format_map(evidence) if evidence["low"] is not None else "too few days to say"
    return f"{losses} on {evidence['days']} days and {evidence['rows']} rows, {evidence['difference']:+.3g} ({bounds})"


def _ranks(evidence: Mapping[str, Any]) -> str:
    """Who ranks better, where that is shown."""
    found = evidence.get("level_set", {})
    if found.get("low") is None or found["low"] <= 0 <= found["high"]:
        return ""
    ranks = "worse" if found["low"] > 0 else "better"
    bounds = "{difference:+.3g} ({low:+.3g} to {high:+.3g})".format_map(found)
    return f"; with the level of each day set it is {bounds}: it ranks {ranks}"


def _takes(action: ShadowAction, evidence: Mapping[str, Any]) -> str:
    needed = evidence["needed_if_equal"]
    if action not in {"wait", "cannot_tell"} or needed is None:
        return ""
    takes = "{days} days or {rows} rows; {days_at_one_look} days if looked at once".format_map(needed)
    return f"; an equal version takes about {takes}"


def _rounded(value: float) -> float | None:
    """To seven digits: a loss has the unit of its label, which may be small."""
    return none_if_nan(float(f"{value:.7g}")) if math.isfinite(value) else None
