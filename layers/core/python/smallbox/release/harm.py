"""Harm of a canary: whether the challenger answers worse than the champion by more than a limit. Pure."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from smallbox.arrays import Floats
from smallbox.define.release_rules import HarmLimits
from smallbox.release.harm_counts import COUNTED, ArmCounts, ArmLosses, RateCounts, UnlikeCounts
from smallbox.statistics.rate_evidence import one_rate_evidence, overdispersion, two_rates_evidence
from smallbox.statistics.sequences import one_sided_p

CLEAR: Final = 0.2
"""Trouble of this share of the requests beyond a limit is clear: one can tell once so much would have been found."""

_LEAST_UNITS: Final = 30
_SAID: Final = {
    "failed": "requests that end in an error",
    "slow": "late answers",
    "fallback": "answers from the fallback",
    "missing": "answers with missing stored features",
    "unlike_shadow": "online answers unlike its own shadow",
    "loss": "mean loss",
}
"""Every limit, and what it counts."""


@dataclass(frozen=True, slots=True)
class LimitEvidence:
    """What was seen of one limit.

    Attributes:
        figure: its name in :class:`HarmLimits`.
        limit: by how much the challenger may be worse: a share of its requests; of ``loss`` a share of the champion's.
        champion: the champion's value; ``None`` where unknown, and of ``unlike_shadow``.
        challenger: the challenger's value.
        requests: how many requests, or labelled predictions, each arm has.
        error: its share of the one error budget: how probably it stops a version that is within it.
        p_value: valid at every look; harm is when it is at most ``error``.
        can_tell: whether clear harm would have been found by now.
        p99: the milliseconds of each arm, of ``slow``.
    """

    figure: str
    limit: float
    champion: float | None
    challenger: float | None
    requests: tuple[int, int]
    error: float
    p_value: float
    can_tell: bool
    p99: tuple[float | None, float | None] | None = None

    @property
    def is_harm(self) -> bool:
        """Whether the challenger is worse by more than the limit."""
        return self.p_value <= self.error

    def as_json(self) -> dict[str, Any]:
        """The evidence as a document."""
        p99 = None if self.p99 is None else list(self.p99)
        return {**asdict(self), "requests": list(self.requests), "p99": p99, "is_harm": self.is_harm}


@dataclass(frozen=True, slots=True)
class HarmVerdict:
    """Whether a canary does harm.

    Attributes:
        is_harm: whether the challenger is worse by more than a limit.
        can_tell: whether clear harm would have been found by now in what is counted of each request. Labels and shadows
            come later; their own evidence says whether it can tell.
        why: a sentence with the figure, both arms' values and the limit.
        evidence: a JSON document for each limit of which something is known.
    """

    is_harm: bool
    can_tell: bool
    why: str
    evidence: list[dict[str, Any]]


def judge_harm(
    limits: HarmLimits,
    counts: ArmCounts,
    unlike: UnlikeCounts | None = None,
    losses: tuple[ArmLosses, ArmLosses] | None = None,
    steps: int = 1,
) -> HarmVerdict:
    """Judge a step of a canary by all that was seen since it began; as often as one likes.

    Args:
        limits: how much worse the challenger may answer.
        counts: of the requests of both arms.
        unlike: of the challenger's answers that were compared with its shadow; ``None`` before any.
        losses: of the champion and of the challenger; ``None`` before any label.
        steps: the number of steps of the canary; each has an equal share of the error.
    """
    error = error_of_each(limits, steps)
    counted = [_of_counts(limits, counts, figure, error) for figure in COUNTED[1:]]
    found = list(counted)
    if unlike is not None:
        found.append(_of_shadow(limits.unlike_shadow, unlike, error))
    if losses is not None:
        found.append(_of_losses(limits.loss, *losses, error))
    harm = [one for one in found if one.is_harm]
    can_tell = all(one.can_tell for one in counted)
    why = _why(harm, counted, can_tell=can_tell)
    return HarmVerdict(bool(harm), can_tell, why, [one.as_json() for one in found])


def error_of_each(limits: HarmLimits, steps: int) -> float:
    """The share of the error budget that each limit has in each of so many steps."""
    return limits.error / steps / len(_SAID)


def p_value_of(limits: HarmLimits, seen: RateCounts, figure: str) -> float:
    """How surely the challenger keeps the limit of a counted figure; valid at every look."""
    return _p_value(two_rates_evidence(*seen.effective(), float(getattr(limits, figure))))


def _of_counts(limits: HarmLimits, counts: ArmCounts, figure: str, error: float) -> LimitEvidence:
    limit, seen = float(getattr(limits, figure)), counts.of(figure)
    clear = seen.with_excess(limit + CLEAR)
    trouble, asked = seen.totals
    return LimitEvidence(
        figure,
        limit,
        _ratio(trouble[0], asked[0]),
        _ratio(trouble[1], asked[1]),
        (int(asked[0]), int(asked[1])),
        error,
        p_value_of(limits, seen, figure),
        p_value_of(limits, clear, figure) <= error,
        counts.p99 if figure == "slow" else None,
    )


def _of_shadow(limit: float, counts: UnlikeCounts, error: float) -> LimitEvidence:
    compared = float(counts.compared.sum())
    clear = counts.compared * min(1.0, limit + CLEAR)
    return LimitEvidence(
        "unlike_shadow",
        limit,
        None,
        _ratio(counts.unlike.sum(), compared),
        (0, int(compared)),
        error,
        _p_of_one(counts.unlike, counts.compared, limit),
        _p_of_one(clear, counts.compared, limit) <= error,
    )


def _p_of_one(trouble: Floats, asked: Floats, limit: float) -> float:
    less = overdispersion(trouble, asked)
    return _p_value(one_rate_evidence(trouble.sum(keepdims=True) / less, asked.sum(keepdims=True) / less, limit))


def _of_losses(limit: float, champion: ArmLosses, challenger: ArmLosses, error: float) -> LimitEvidence:
    """The challenger's mean loss minus the champion's, raised by the limit; each a ratio of sums over units."""
    arms = (champion, challenger)
    means = [_ratio(arm.losses.sum(), arm.rows.sum()) for arm in arms]
    enough = all(len(arm.rows) >= _LEAST_UNITS for arm in arms)
    p_value = 1.0
    if enough and means[0] is not None and means[1] is not None:
        variances = [_variance(arm) * scale**2 for arm, scale in zip(arms, (1 + limit, 1.0), strict=True)]
        excess = means[1] - (1 + limit) * means[0]
        p_value = one_sided_p(excess, math.sqrt(sum(variances)), sum(len(arm.rows) for arm in arms), error)
    rows = int(champion.rows.sum()), int(challenger.rows.sum())
    return LimitEvidence("loss", limit, means[0], means[1], rows, error, p_value, enough)


def _variance(arm: ArmLosses) -> float:
    """Of the mean loss: the delta method for a ratio of sums over units (Deng, Knoblich, Lu, KDD 2018)."""
    mean = arm.losses.sum() / arm.rows.sum()
    return float(np.var(arm.losses - mean * arm.rows, ddof=1) * len(arm.rows) / arm.rows.sum() ** 2)


def _p_value(log_evidence: Floats) -> float:
    """The smallest p-value over all blocks: 1 over the largest evidence (Ville)."""
    return math.exp(-max(0.0, float(log_evidence.max(initial=0.0))))


def _ratio(part: float, whole: float) -> float | None:
    return float(part / whole) if whole else None


def _why(harm: Sequence[LimitEvidence], counted: Sequence[LimitEvidence], *, can_tell: bool) -> str:
    if harm:
        return _worse(min(harm, key=lambda one: one.p_value / one.error))
    asked = counted[0].requests[1]
    if can_tell:
        return f"no limit of harm is exceeded after {asked} requests of the challenger"
    return f"cannot tell yet: {asked} requests of the challenger are too few to show harm"


def _worse(one: LimitEvidence) -> str:
    if one.figure == "loss":
        return (
            f"the challenger's mean loss is {one.challenger:.4g}, the champion's {one.champion:.4g}; the limit is "
            f"{one.limit:.2%} above the champion's"
        )
    said, asked = _SAID[one.figure], one.requests
    if one.champion is None:
        return f"{one.challenger:.2%} of {asked[1]} {said}; the limit is {one.limit:.2%}"
    late = "" if one.p99 is None or None in one.p99 else f"; p99 {one.p99[1]:.0f} ms against {one.p99[0]:.0f} ms"
    return (
        f"{said}: {one.challenger:.2%} of {asked[1]} by the challenger, {one.champion:.2%} of {asked[0]} by the "
        f"champion{late}; the limit is {one.limit:.2%} above the champion's"
    )
