"""The review of a canary: promote, roll back, or wait, with the evidence.

Both arms answer disjoint sets of keys, drawn by hash, so their AUCs are independent: the difference is held against the
sum of their DeLong variances. A canary is looked at once a day. Looking often and stopping at the first bad day would
roll back good challengers more often than the stated confidence allows, so the error that is allowed is divided by the
number of looks (Bonferroni; Dunn, JASA 56, 1961): it errs towards waiting.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Literal

from smallbox.define.rules import Release
from smallbox.times import DAY, Micros
from smallbox.training.metrics import Auc, Bools, Floats, auc, log_loss

Action = Literal["promote", "roll_back", "wait"]


@dataclass(frozen=True, slots=True)
class ArmResult:
    """What became true of an arm's predictions: scores and labels, in step."""

    scores: Floats
    labels: Bools


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do with the canary, why, and the figures it rests on."""

    action: Action
    why: str
    evidence: Mapping[str, Any]


def review(rule: Release, champion: ArmResult, challenger: ArmResult, since: Micros, now: Micros) -> Decision:
    """Decide about a canary that runs since a moment.

    It waits for ``min_labels`` in each arm. Then a challenger that is surely worse is rolled back, and one that is
    surely better is promoted. What is still open at ``max_days`` is promoted unless it lost more than
    ``max_auc_loss``. Without enough labels by then it is rolled back: what nobody could measure does not take over.
    """
    days = (now - since) / DAY
    ours, theirs = auc(champion.scores, champion.labels), auc(challenger.scores, challenger.labels)
    evidence = _evidence(champion, challenger, ours, theirs, days)
    enough = min(len(champion.labels), len(challenger.labels)) >= rule.min_labels and not math.isnan(
        ours.variance + theirs.variance
    )
    if not enough:
        counts = f"{len(champion.labels)} and {len(challenger.labels)} labels of {rule.min_labels} each"
        if days >= rule.max_days:
            return Decision("roll_back", f"after {days:.0f} days there are only {counts}", evidence)
        return Decision("wait", f"there are {counts}", evidence)
    margin = _margin(rule, ours, theirs)
    evidence["margin"] = margin
    return _decide(rule, theirs.value - ours.value, margin, days, evidence)


def _decide(rule: Release, gain: float, margin: float, days: float, evidence: Mapping[str, Any]) -> Decision:
    figures = f"AUC {gain:+.4f} beside the champion, +-{margin:.4f}"
    if gain < -margin:
        return Decision("roll_back", f"the challenger is worse: {figures}", evidence)
    if gain > margin:
        return Decision("promote", f"the challenger is better: {figures}", evidence)
    if days < rule.max_days:
        return Decision("wait", f"not decided yet: {figures}", evidence)
    if gain < -rule.max_auc_loss:
        lost = f"after {days:.0f} days the challenger lost more than {rule.max_auc_loss}: {figures}"
        return Decision("roll_back", lost, evidence)
    return Decision("promote", f"after {days:.0f} days the challenger is as good: {figures}", evidence)


def _margin(rule: Release, ours: Auc, theirs: Auc) -> float:
    level = (1 - rule.confidence) / max(rule.max_days, 1)
    return NormalDist().inv_cdf(1 - level) * math.sqrt(ours.variance + theirs.variance)


def _evidence(champion: ArmResult, challenger: ArmResult, ours: Auc, theirs: Auc, days: float) -> dict[str, Any]:
    figures = {
        "champion_auc": ours.value,
        "challenger_auc": theirs.value,
        "champion_log_loss": log_loss(champion.scores, champion.labels),
        "challenger_log_loss": log_loss(challenger.scores, challenger.labels),
        "days": days,
    }
    known = {name: None if math.isnan(value) else round(value, 6) for name, value in figures.items()}
    return {**known, "champion_labels": len(champion.labels), "challenger_labels": len(challenger.labels)}
