"""Off-policy evaluation: what another policy would have earned, from what was shown with known probabilities.

The weight of a row is ``w = pi / mu``: the probability with which the policy would have shown it, by the logged one.

    IPS    mean(w r)                     Horvitz and Thompson, JASA 47, 1952
    SNIPS  sum(w r) / sum(w)             Swaminathan and Joachims, NeurIPS 2015
    DR     mean(q_pi + w (r - q))        Dudik, Langford, Li, ICML 2011

Each is compared with what a second policy earned on the same rows, so that rows on which both agree add no noise. The
rows of a unit depend on each other: sums of units are what is averaged. Estimates are refused where few units decide.
"""

import math
from dataclasses import dataclass
from typing import Final, Literal

from smallbox.arrays import Floats, Ints, np
from smallbox.statistics.paired_days import effective_units, ratio_sequence
from smallbox.statistics.sequences import ConfidenceSequence

MIN_EFFECTIVE_UNITS: Final = 100.0
MIN_EFFECTIVE_UNIT_SHARE: Final = 0.05
MIN_REWARDED: Final = 100
"""Units with a reward before there is an estimate: the bounds take the mean over units for about normal."""

MAX_WEIGHT_SHARE: Final = 0.05
MAX_WEIGHT_ERRORS: Final = 3.0

PolicyEstimator = Literal["ips", "snips", "dr"]


@dataclass(frozen=True, slots=True, eq=False)
class WeightedRows:
    """``n`` logged rows, and how two policies weigh them.

    Attributes:
        units: ``(n,)`` the number of each row's unit; units are independent.
        rewards: ``(n,)`` what each row earned.
        propensities: ``(n,)`` the logged probability of what was shown.
        policy: ``(n,)`` the probability with which the judged policy would have shown it.
        against: ``(n,)`` that of the policy to compare with; the propensities for the one that was shown.
        expected: ``(n,)`` a model's reward of what was shown, from other units than the row's; 0 without a model.
        expected_gain: ``(n,)`` by the same model the mean reward of the judged policy less that of the other one.
    """

    units: Ints
    rewards: Floats
    propensities: Floats
    policy: Floats
    against: Floats
    expected: Floats
    expected_gain: Floats

    def weights(self, policy: Floats) -> Floats:
        """``policy / propensity``; 0 where the policy shows nothing, or the propensity is 0."""
        shown = (policy > 0) & (self.propensities > 0)
        found: Floats = np.divide(policy, self.propensities, out=np.zeros(len(policy)), where=shown)
        return found


@dataclass(frozen=True, slots=True)
class OffPolicyGain:
    """How much more a policy would have earned a row than another one.

    Attributes:
        value: what the policy would have earned a row; NaN where all its weights are 0.
        gain: what it would have earned more; the bounds hold at every look.
    """

    value: float
    gain: ConfidenceSequence


@dataclass(frozen=True, slots=True)
class OffPolicyEvidence:
    """What logged rows say of a policy.

    Attributes:
        gains: by estimator; empty when refused.
        units: the number of independent units.
        effective: the effective number of units: so many, all weighing alike, would say as much (Kish, 1965).
        refused: why there is no estimate, and what it would take; empty when there is one.
        verdict: ``better`` or ``worse`` where the doubly robust gain is surely so, else ``cannot_tell``.
    """

    gains: dict[PolicyEstimator, OffPolicyGain]
    units: int
    effective: float
    refused: tuple[str, ...]
    verdict: Literal["better", "worse", "cannot_tell"]

    def sentence(self, policy: str, other: str) -> str:
        """The verdict for people."""
        if self.refused:
            return f"What {policy} would have earned cannot be told: {'; '.join(self.refused)}."
        found = self.gains["dr"].gain
        bounds = f"{found.value:+.4f} a row, between {found.low:+.4f} and {found.high:+.4f} at every look"
        counted = f"{self.units} units, as good as {self.effective:.0f} that weigh alike"
        if self.verdict == "cannot_tell":
            return f"Whether {policy} would have earned more than {other} cannot be told: {bounds}; {counted}."
        return f"{policy} would have earned {'more' if found.value > 0 else 'less'} than {other}: {bounds}; {counted}."


def judge_policy(rows: WeightedRows, error: float = 0.05, tuned_for: int = 1_000) -> OffPolicyEvidence:
    """Judge a policy on logged rows by the three estimators, or refuse.

    Args:
        rows: the rows.
        error: the probability that the true gain is ever outside the bounds.
        tuned_for: at about how many units the bounds are narrowest.
    """
    weights = rows.weights(rows.policy)
    units, effective = _units(rows), effective_units(_sums(rows.units, weights))
    refused = _refusals(rows, weights, effective)
    if refused:
        return OffPolicyEvidence({}, units, effective, refused, "cannot_tell")
    gains: dict[PolicyEstimator, OffPolicyGain] = {
        "ips": _ips(rows, weights, error, tuned_for),
        "snips": _snips(rows, weights, error, tuned_for),
        "dr": _dr(rows, weights, error, tuned_for),
    }
    found = gains["dr"].gain
    verdict: Literal["better", "worse", "cannot_tell"] = "cannot_tell"
    if found.excludes_zero:
        verdict = "better" if found.value > 0 else "worse"
    return OffPolicyEvidence(gains, units, effective, (), verdict)


def _ips(rows: WeightedRows, weights: Floats, error: float, tuned_for: int) -> OffPolicyGain:
    gains = (weights - rows.weights(rows.against)) * rows.rewards
    value = float((weights * rows.rewards).mean())
    return OffPolicyGain(value, _over_units(rows, gains, error, tuned_for))


def _dr(rows: WeightedRows, weights: Floats, error: float, tuned_for: int) -> OffPolicyGain:
    against = rows.weights(rows.against)
    residuals = rows.rewards - rows.expected
    gains = rows.expected_gain + (weights - against) * residuals
    found = _over_units(rows, gains, error, tuned_for)
    other = float((against * rows.rewards).mean())
    return OffPolicyGain(other + found.value, found)


def _snips(rows: WeightedRows, weights: Floats, error: float, tuned_for: int) -> OffPolicyGain:
    """The ratio, with the variance of its linear approximation."""
    influences, values = np.zeros(len(weights)), []
    for sign, own in ((1.0, weights), (-1.0, rows.weights(rows.against))):
        value = float((own * rows.rewards).sum() / own.sum())
        influences += sign * (own * (rows.rewards - value) / own.mean() + value)
        values.append(value)
    return OffPolicyGain(values[0], _over_units(rows, influences, error, tuned_for))


def _over_units(rows: WeightedRows, values: Floats, error: float, tuned_for: int) -> ConfidenceSequence:
    """The mean over rows, with the units' sums as what is independent."""
    return ratio_sequence(_sums(rows.units, values), _sums(rows.units, np.ones(len(values))), error, tuned_for)


def _refusals(rows: WeightedRows, weights: Floats, effective: float) -> tuple[str, ...]:
    if not len(weights):
        return ("there are no such rows",)
    if ((rows.propensities <= 0) & ((rows.policy > 0) | (rows.against > 0))).any():
        return ("a row has the logged probability 0: it cannot have been shown",)
    sums, units = _sums(rows.units, weights), _units(rows)
    if not sums.sum() or not rows.against.any():
        return ("none of the logged rows would have been shown",)
    found, needed = [], max(MIN_EFFECTIVE_UNITS, MIN_EFFECTIVE_UNIT_SHARE * units)
    if effective < needed:
        times = math.ceil(needed / effective)
        more = "exploration" if effective < MIN_EFFECTIVE_UNIT_SHARE * units else "logged units"
        good = f"{units} units are as good as {effective:.0f} that weigh alike; {needed:.0f} are needed"
        found.append(f"{good}, about {times} times the {more}")
    rewarded = int((_sums(rows.units, np.abs(rows.rewards) * ((rows.policy > 0) | (rows.against > 0))) > 0).sum())
    if rewarded < MIN_REWARDED:
        found.append(f"{rewarded} units have a reward; {MIN_REWARDED} are needed")
    if sums.max() > MAX_WEIGHT_SHARE * sums.sum():
        found.append(f"one unit has {sums.max() / sums.sum():.0%} of all weight; at most {MAX_WEIGHT_SHARE:.0%} may be")
    means = sums / _sums(rows.units, np.ones(len(weights)))
    off = abs(float(means.mean()) - 1)
    if units > 1 and off > MAX_WEIGHT_ERRORS * float(means.std(ddof=1)) / math.sqrt(units) + 1e-9:
        found.append(f"the mean weight is {means.mean():.3f} and not 1: the logged probabilities are not the true ones")
    return tuple(found)


def _units(rows: WeightedRows) -> int:
    return len(np.unique(rows.units))


def _sums(units: Ints, values: Floats) -> Floats:
    """The sum of each unit."""
    _, numbers = np.unique(units, return_inverse=True)
    return np.bincount(numbers, values).astype(np.float64)
