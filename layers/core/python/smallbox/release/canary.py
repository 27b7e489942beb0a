"""The review of a canary: promote, roll back, wait, or say that the labels cannot tell, with the evidence.

Both arms answer disjoint sets of keys, drawn by hash, so their AUCs are independent: the difference is held against the
sum of their DeLong variances. A canary is looked at once a day, and looking often and stopping at the first bad day
would be wrong more often than the stated confidence allows. So the error that is allowed is shared out (Bonferroni;
Dunn, JASA 56, 1961): half to the last look, which has the most labels, the other half to the looks before it in equal
parts.

At the last look a challenger is promoted when the lower end of the interval rules out a loss of ``max_auc_loss``: a
test of non-inferiority. What it does not rule out is not promoted on hope, and not called worse either.
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
"""How often a canary is to promote an equal challenger: for so many labels it is planned."""


@dataclass(frozen=True, slots=True)
class ArmResult:
    """What became true of an arm's predictions whose windows are over: scores and labels, in step."""

    scores: Floats
    labels: Bools

    @property
    def rarer(self) -> int:
        """How many labels there are of the class with fewer."""
        positive = int(self.labels.sum())
        return min(positive, len(self.labels) - positive)


@dataclass(frozen=True, slots=True)
class CanaryDecision:
    """What to do with the canary, why, and the figures it rests on."""

    action: Action
    why: str
    evidence: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Look:
    """One of the daily looks at a canary.

    Attributes:
        days: since the canary began.
        within: the attribution window; no label is judged before it is over.
    """

    days: float
    within: Micros

    def is_last(self, rule: Release) -> bool:
        """Whether the canary has no time left."""
        return self.days >= rule.max_days

    def quantile(self, rule: Release) -> float:
        """How many standard errors make sure, at this look's part of the error that is allowed."""
        half = (1 - rule.confidence) / 2
        before = max(rule.max_days - math.ceil(self.within / DAY) - 1, 1)
        return NormalDist().inv_cdf(1 - (half if self.is_last(rule) else half / before))


def review(rule: Release, champion: ArmResult, challenger: ArmResult, look: Look) -> CanaryDecision:
    """Decide about a canary.

    It waits for ``min_of_each_class`` labels of both classes in each arm. Then a challenger that is surely worse is
    rolled back, and one that is surely better is promoted. At the last look one that surely lost less than
    ``max_auc_loss`` is promoted; of any other the labels cannot tell.
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
    """How many labels would have told, if the versions are equal."""
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
