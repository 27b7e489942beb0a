"""The canary decision: promote, roll back, wait, or cannot tell, with the evidence.

The arms answer disjoint sets of keys, assigned by hash, so their AUCs are independent: the variance of the difference
is the sum of their DeLong variances. A canary is reviewed daily, and repeated looks inflate the error rate. So the
allowed error is split over the looks (Bonferroni; Dunn, JASA 56, 1961): half to the last look, which has the most
labels, the rest evenly to the earlier looks.

The last look is a non-inferiority test: the challenger is promoted if the lower confidence limit excludes a loss of
``max_auc_loss``. Otherwise the result is "cannot tell": the challenger is neither promoted nor called worse.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Final, Literal

from smallbox.arrays import Bools, Floats
from smallbox.define.rules import Release
from smallbox.objectives.binary import log_loss
from smallbox.statistics.estimates import Estimate, difference
from smallbox.statistics.ranking import auc
from smallbox.times import DAY, Micros

Action = Literal["promote", "roll_back", "cannot_tell", "wait"]

POWER: Final = 0.8
"""Statistical power: the planned probability that a canary promotes an equal challenger."""


@dataclass(frozen=True, slots=True)
class ArmResult:
    """Scores and labels of an arm's predictions whose attribution windows are over, row by row."""

    scores: Floats
    labels: Bools

    @property
    def rarer(self) -> int:
        """The number of labels of the rarer class."""
        positive = int(self.labels.sum())
        return min(positive, len(self.labels) - positive)


@dataclass(frozen=True, slots=True)
class CanaryDecision:
    """The action, the reason, and the figures behind it."""

    action: Action
    why: str
    evidence: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Look:
    """One daily look at a canary (an interim analysis).

    Attributes:
        days: the age of the canary in days.
        within: the attribution window; labels are used only after it is over.
    """

    days: float
    within: Micros

    def is_last(self, rule: Release) -> bool:
        """Whether the canary has run for ``max_days``."""
        return self.days >= rule.max_days

    def quantile(self, rule: Release) -> float:
        """The two-sided normal quantile for this look's share of the allowed error."""
        half = (1 - rule.confidence) / 2
        before = max(rule.max_days - math.ceil(self.within / DAY) - 1, 1)
        return NormalDist().inv_cdf(1 - (half if self.is_last(rule) else half / before))


def review(rule: Release, champion: ArmResult, challenger: ArmResult, look: Look) -> CanaryDecision:
    """Decide about a canary.

    1. Wait for ``min_of_each_class`` labels of both classes in each arm.
    2. Roll back a challenger that is significantly worse; promote one that is significantly better.
    3. At the last look, promote a challenger that is significantly non-inferior by ``max_auc_loss``; else cannot tell.
    """
    ours, theirs = (auc(arm.scores, arm.labels) for arm in (champion, challenger))
    evidence = _evidence(champion, challenger, ours, theirs, look.days)
    fewest = min(champion.rarer, challenger.rarer)
    if fewest < rule.min_of_each_class:
        counts = f"{fewest} labels of the rarer class in an arm, {rule.min_of_each_class} are needed"
        if look.is_last(rule):
            return CanaryDecision("cannot_tell", f"after {look.days:.0f} days there are {counts}", evidence)
        return CanaryDecision("wait", f"there are {counts}", evidence)
    gain = difference(theirs, ours)
    margin = look.quantile(rule) * gain.standard_error
    evidence["margin"] = round(margin, 6)
    return _decide(rule, gain.value, margin, look, evidence)


def _decide(rule: Release, gain: float, margin: float, look: Look, evidence: Mapping[str, Any]) -> CanaryDecision:
    figures = f"AUC {gain:+.4f} beside the champion, +-{margin:.4f}"
    if gain < -margin:
        return CanaryDecision("roll_back", f"the challenger is worse: {figures}", evidence)
    if gain > margin:
        return CanaryDecision("promote", f"the challenger is better: {figures}", evidence)
    if not look.is_last(rule):
        return CanaryDecision("wait", f"not decided yet: {figures}", evidence)
    if gain - margin > -rule.max_auc_loss:
        why = f"after {look.days:.0f} days a loss of {rule.max_auc_loss} is ruled out: {figures}"
        return CanaryDecision("promote", why, evidence)
    why = f"after {look.days:.0f} days a loss of {rule.max_auc_loss} is not ruled out: {figures}"
    return CanaryDecision("cannot_tell", f"{why}; {_what_it_takes(rule, margin, look)}", evidence)


def _what_it_takes(rule: Release, margin: float, look: Look) -> str:
    """How many more labels would promote an equal challenger with probability ``POWER``."""
    if not rule.max_auc_loss:
        return "with max_auc_loss=0 only a version that is surely better is promoted"
    needed = margin / look.quantile(rule) * (look.quantile(rule) + NormalDist().inv_cdf(POWER))
    times = max((needed / rule.max_auc_loss) ** 2, 1)
    return f"{times:.1f} times the labels promote an equal version in {POWER:.0%} of canaries"


def _evidence(
    champion: ArmResult, challenger: ArmResult, ours: Estimate, theirs: Estimate, days: float
) -> dict[str, Any]:
    figures = {
        "champion_auc": ours.value,
        "challenger_auc": theirs.value,
        "champion_log_loss": log_loss(champion.scores, champion.labels),
        "challenger_log_loss": log_loss(challenger.scores, challenger.labels),
        "days": days,
    }
    known = {name: None if math.isnan(value) else round(value, 6) for name, value in figures.items()}
    counts = {"champion_labels": len(champion.labels), "challenger_labels": len(challenger.labels)}
    return {**known, **counts, "champion_rarer_class": champion.rarer, "challenger_rarer_class": challenger.rarer}
