"""The canary decision: promote, roll back, wait, or cannot tell, with the evidence.

Mean losses are compared. The arms answer disjoint sets of keys, assigned by hash, so they are independent: the variance
of the difference is the sum of the variances of both means. Some requests are harder than others, whoever answers. What
the constant baseline loses on a request shows it, so means are adjusted for it (CUPED). This supposes that an answer
does not change the outcome. A canary is reviewed daily, and repeated looks inflate the
error rate. So the allowed error is split over the looks (Bonferroni; Dunn, JASA 56, 1961): half to the last look, which
has the most labels, the rest evenly to the earlier looks.

The last look is a non-inferiority test: the challenger is promoted if the lower confidence limit excludes a loss of
``max_loss_increase``. Otherwise the result is "cannot tell": the challenger is neither promoted nor called worse.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Final, Literal

from smallbox.arrays import Floats
from smallbox.define.rules import Release
from smallbox.documents.metrics import Metric
from smallbox.statistics.estimates import Estimate, adjusted_means, difference, mean_estimate
from smallbox.times import DAY, Micros

Action = Literal["promote", "roll_back", "cannot_tell", "wait"]

POWER: Final = 0.8
"""Statistical power: the planned probability that a canary promotes an equal challenger."""


@dataclass(frozen=True, slots=True, eq=False)
class ArmResult:
    """An arm's predictions whose attribution windows are over.

    Attributes:
        losses: the loss of each row, or of each group of a ranking.
        hardness: what the champion's constant baseline would have lost on the same rows.
        rarer: the number of rows of the rarest outcome; all rows when the label is a number, all losses of a ranking.
        figures: the objective's other figures, shown beside the loss.
    """

    losses: Floats
    hardness: Floats
    rarer: int
    figures: Mapping[str, Metric]


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

    1. Wait for ``min_rarer`` labels of the rarest outcome in each arm.
    2. Roll back a challenger that is significantly worse; promote one that is significantly better.
    3. At the last look, promote a challenger that is significantly non-inferior by ``max_loss_increase``; else cannot
       tell.
    """
    ours, theirs = (mean_estimate(arm.losses) for arm in (champion, challenger))
    evidence = _evidence(champion, challenger, ours, theirs, look.days)
    fewest = min(champion.rarer, challenger.rarer, len(champion.losses), len(challenger.losses))
    if fewest < rule.min_rarer:
        counts = f"{fewest} labels of the rarest outcome in an arm, {rule.min_rarer} are needed"
        if look.is_last(rule):
            return CanaryDecision("cannot_tell", f"after {look.days:.0f} days there are {counts}", evidence)
        return CanaryDecision("wait", f"there are {counts}", evidence)
    increase = difference(*reversed(adjusted_means([(arm.losses, arm.hardness) for arm in (champion, challenger)])))
    margin = look.quantile(rule) * increase.standard_error
    evidence["margin"] = round(margin, 6)
    return _decide(rule, increase.value, margin, look, evidence)


def _decide(rule: Release, increase: float, margin: float, look: Look, evidence: Mapping[str, Any]) -> CanaryDecision:
    champion, allowed = evidence["champion_loss"], rule.max_loss_increase * evidence["champion_loss"]
    figures = f"its mean loss differs from the champion's, {champion:.4g}, by {increase:+.4g} (+-{margin:.4g})"
    if increase > margin:
        return CanaryDecision("roll_back", f"the challenger is worse: {figures}", evidence)
    if increase < -margin:
        return CanaryDecision("promote", f"the challenger is better: {figures}", evidence)
    if not look.is_last(rule):
        return CanaryDecision("wait", f"not decided yet: {figures}", evidence)
    worse = f"a loss {rule.max_loss_increase:.1%} above the champion's"
    if increase + margin < allowed:
        return CanaryDecision("promote", f"after {look.days:.0f} days {worse} is ruled out: {figures}", evidence)
    why = f"after {look.days:.0f} days {worse} is not ruled out: {figures}"
    return CanaryDecision("cannot_tell", f"{why}; {_what_it_takes(rule, margin, allowed, look)}", evidence)


def _what_it_takes(rule: Release, margin: float, allowed: float, look: Look) -> str:
    """How many more labels would promote an equal challenger with probability ``POWER``."""
    if not allowed:
        return "with max_loss_increase=0 only a version that is surely better is promoted"
    needed = margin / look.quantile(rule) * (look.quantile(rule) + NormalDist().inv_cdf(POWER))
    times = max((needed / allowed) ** 2, 1)
    return f"{times:.1f} times the labels promote an equal version in {POWER:.0%} of canaries"


def _evidence(
    champion: ArmResult, challenger: ArmResult, ours: Estimate, theirs: Estimate, days: float
) -> dict[str, Any]:
    figures = {"champion_loss": ours.value, "challenger_loss": theirs.value, "days": days}
    known = {name: None if math.isnan(value) else round(value, 6) for name, value in figures.items()}
    arms = {"champion": champion, "challenger": challenger}
    counts = {f"{name}_labels": len(arm.losses) for name, arm in arms.items()}
    rarer = {f"{name}_rarer": arm.rarer for name, arm in arms.items()}
    shown = {f"{name}_{figure}": one for name, arm in arms.items() for figure, one in arm.figures.items()}
    return {**known, **counts, **rarer, **shown}
