"""How long a canary would take, told before it starts from the predictions and labels of the last weeks."""

import math
from dataclasses import dataclass
from statistics import NormalDist

from smallbox.define.rules import Release
from smallbox.release.canary import POWER, ArmResult
from smallbox.statistics.ranking import auc
from smallbox.times import DAY, Micros


@dataclass(frozen=True, slots=True)
class Traffic:
    """What was judged lately, of all versions together.

    Attributes:
        judged: the scores and labels of predictions whose windows are over.
        days: over how many days they were asked for.
        delay: from the asking for a prediction to the end of its window, usually.
    """

    judged: ArmResult
    days: float
    delay: Micros


@dataclass(frozen=True, slots=True)
class CanaryEstimate:
    """How long a canary would take.

    Attributes:
        days: from its start to a decision about an equal challenger; infinite where it never ends.
        why: in one sentence.
    """

    days: float
    why: str


def estimate_canary(rule: Release, traffic: Traffic) -> CanaryEstimate:
    """How long a canary would take at this traffic and rate of labels.

    It takes ``min_of_each_class`` labels in the smaller arm, and so many that at the last look an equal challenger is
    promoted with a probability of ``POWER``: z(1 - error / 2) + z(power) standard errors make ``max_auc_loss``. The
    DeLong variance of the recent scores is that of an arm, in proportion to its rows.
    """
    rarer, share = traffic.judged.rarer, min(rule.canary, 1 - rule.canary)
    if not share:
        why = f"with Release(canary={rule.canary}) one of the versions answers nobody, and nothing can be compared"
        return CanaryEstimate(math.inf, f"{why}; change who serves with `smallbox release`")
    asked, labels = len(traffic.judged.labels) / traffic.days, rarer / traffic.days
    seen = f"{asked:.0f} labelled predictions a day, {labels:.1f} of the rarer class"
    if not labels:
        return CanaryEstimate(math.inf, f"a canary would never end: {seen}")
    judging = max(rule.min_of_each_class / (labels * share), _days_of_power(rule, traffic))
    days = judging + traffic.delay / DAY
    return CanaryEstimate(days, f"a canary would take about {days:.1f} days: {seen}")


def _days_of_power(rule: Release, traffic: Traffic) -> float:
    of_a_day = auc(traffic.judged.scores, traffic.judged.labels).variance * traffic.days
    if not rule.max_auc_loss or math.isnan(of_a_day):
        return 0.0
    normal = NormalDist()
    errors = normal.inv_cdf(1 - (1 - rule.confidence) / 2) + normal.inv_cdf(POWER)
    return of_a_day * (1 / rule.canary + 1 / (1 - rule.canary)) * (errors / rule.max_auc_loss) ** 2
