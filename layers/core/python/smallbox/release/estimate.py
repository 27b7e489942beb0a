"""Estimates the duration of a canary before it starts, from the predictions and labels of the last weeks."""

import math
from dataclasses import dataclass
from statistics import NormalDist

from smallbox.define.rules import Release
from smallbox.release.canary import POWER, ArmResult
from smallbox.statistics.estimates import adjusted_means
from smallbox.times import DAY, Micros


@dataclass(frozen=True, slots=True)
class Traffic:
    """Recent labelled predictions of all versions together.

    Attributes:
        judged: losses of predictions whose windows are over.
        days: the number of days in which they were asked.
        delay: the median time from a request to the end of its window, in microseconds.
    """

    judged: ArmResult
    days: float
    delay: Micros


@dataclass(frozen=True, slots=True)
class CanaryEstimate:
    """The estimated duration of a canary.

    Attributes:
        days: from its start to a decision about an equal challenger; infinite if it would never end.
        why: the explanation, one sentence.
    """

    days: float
    why: str


def estimate_canary(rule: Release, traffic: Traffic) -> CanaryEstimate:
    """Estimate how long a canary would take at this traffic and label rate.

    The canary needs ``min_rarer`` labels in the smaller arm, and enough labels for power ``POWER`` at the last look:
    ``max_loss_increase * mean = (z(1 - error / 2) + z(POWER)) * standard error``. An arm's variance is that of the mean
    of the recent losses, adjusted for hardness as in a canary, scaled by the number of rows.
    """
    rarer, share = traffic.judged.rarer, min(rule.canary, 1 - rule.canary)
    if not share:
        why = f"with Release(canary={rule.canary}) one version gets no requests, so nothing can be compared"
        return CanaryEstimate(math.inf, f"{why}; change who serves with `smallbox release`")
    asked, labels = len(traffic.judged.losses) / traffic.days, rarer / traffic.days
    seen = f"{asked:.0f} labelled predictions a day, {labels:.1f} of the rarest outcome"
    if not labels:
        return CanaryEstimate(math.inf, f"a canary would never end: {seen}")
    judging = max(rule.min_rarer / (labels * share), _days_of_power(rule, traffic))
    days = judging + traffic.delay / DAY
    return CanaryEstimate(days, f"a canary would take about {days:.1f} days: {seen}")


def _days_of_power(rule: Release, traffic: Traffic) -> float:
    mean = adjusted_means([(traffic.judged.losses, traffic.judged.hardness)])[0]
    of_a_day, allowed = mean.variance * traffic.days, rule.max_loss_increase * mean.value
    if math.isnan(of_a_day) or not allowed > 0:
        return 0.0
    normal = NormalDist()
    errors = normal.inv_cdf(1 - (1 - rule.confidence) / 2) + normal.inv_cdf(POWER)
    return of_a_day * (1 / rule.canary + 1 / (1 - rule.canary)) * (errors / allowed) ** 2
