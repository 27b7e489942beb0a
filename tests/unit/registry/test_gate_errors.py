"""Proves by simulation that the gate errs in 5 % at a limit, as it says, and how often it accepts an equal model.

Each share is of 1,000 seeded runs, so that it is known within .02 (three standard errors of 5 %).
"""

import math
from collections.abc import Callable, Mapping
from functools import partial
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from scipy.special import entr, ndtr  # type: ignore[import-untyped]

from smallbox.arrays import Bools, Floats, Ints
from smallbox.define.rules import Gate, ceiling, floor
from smallbox.objectives.binary import Binary
from smallbox.objectives.measure import loss_difference, mean_loss, measure
from smallbox.objectives.objective import Scored
from smallbox.objectives.regression import Regression
from smallbox.registry.gate import CandidateEvidence, judge
from smallbox.statistics.confidence import CONFIDENCE
from smallbox.statistics.intervals import Interval, bisect

RUNS = 1_000
AT_MOST = 1 - CONFIDENCE + 0.02
BINARY = Binary()
ALIKE: Any = {"largest": 0.0, "limit": 1e-4}
LABELS: Any = {"unlabelled_share": 0.0, "selection_auc": {"value": None, "low": None, "high": None}}
SKILLED: Any = {"outputs": [0.5], "loss": 1.0, "difference": Interval(-0.5, -0.5, -0.5).as_json()}
"""Far better than the constant, so that another check decides."""


def shares(rule: Gate, draw: Callable[[np.random.Generator], Any]) -> Mapping[str, float]:
    """How often each outcome came."""
    random = np.random.default_rng(22)
    outcomes = [judge(rule, draw(random)).outcome for _ in range(RUNS)]
    return {outcome: outcomes.count(outcome) / RUNS for outcome in ("accepted", "refused", "cannot_tell")}


def scored(outputs: Floats, labels: Floats | Bools) -> Scored:
    """Rows of one output without groups."""
    return Scored(outputs[:, None], labels.astype(float), np.zeros(len(labels), np.int64))


def evidence(objective: Any, ours: Scored, baseline: Any = SKILLED, champion: Any = None) -> Any:
    """What the training run would hand over."""
    return CandidateEvidence(measure(objective, ours), baseline, champion, ALIKE, LABELS)


def classes(rows: int, rate: float) -> Bools:
    """Labels with that share of positives."""
    labels: Bools = np.arange(rows) < round(rows * rate)
    return labels


def apart(auc: float) -> float:
    """How far two normal distributions lie apart that give this AUC."""
    return math.sqrt(2) * NormalDist().inv_cdf(auc)


def ranked(labels: Bools, auc: float, random: np.random.Generator) -> Any:
    """A candidate of that true AUC."""
    return evidence(BINARY, scored(1 / (1 + np.exp(-random.normal(labels * apart(auc)))), labels))


def ranks(limit: float, **sizes: int) -> Gate:
    """A gate that asks for an AUC alone."""
    return Gate(guardrails=(floor("auc", limit),), **sizes)


@pytest.mark.parametrize("rows", [20, 30, 50])
@pytest.mark.parametrize("rate", [0.1, 0.3, 0.5])
def test_noise_does_not_pass_however_few_rows_are_asked_for(rows: int, rate: float) -> None:
    """With 20 to 50 rows, and a gate that takes them, noise passes an AUC of .7 in 5 % at most; by default never."""
    noise = partial(ranked, classes(rows, rate), 0.5)
    assert shares(ranks(0.7, min_rows=4, min_rarer=2), noise)["accepted"] <= AT_MOST
    assert shares(ranks(0.7), noise) == {"accepted": 0, "refused": 0, "cannot_tell": 1}


@pytest.mark.parametrize(("rows", "rate"), [(100, 0.2), (400, 0.05), (1_000, 0.02), (1_000, 0.2)])
@pytest.mark.parametrize("limit", [0.6, 0.85, 0.95])
def test_a_candidate_at_the_least_auc_is_accepted_and_refused_by_chance_alone(
    rows: int, rate: float, limit: float
) -> None:
    """Either happens in 5 % at most, at the least sizes that the gate takes too."""
    found = shares(ranks(limit), partial(ranked, classes(rows, rate), limit))
    assert found["accepted"] <= AT_MOST
    assert found["refused"] <= AT_MOST


def calibrated(rows: int, rate: float, shift: float, random: np.random.Generator) -> Any:
    """A candidate whose scores are all too low by ``shift``."""
    scores = random.beta(2, 2 / rate - 2, rows)
    labels = random.random(rows) < np.minimum(scores + shift, 1)
    return evidence(BINARY, scored(scores, labels))


@pytest.mark.parametrize(
    ("rows", "rate", "power"), [(200, 0.1, 0.85), (400, 0.05, 0.95), (400, 0.5, 0.75), (1_000, 0.2, 0.99)]
)
def test_the_calibration_error_is_judged_beside_what_chance_makes_of_it(rows: int, rate: float, power: float) -> None:
    """Off by the limit of .1 passes in 5 % at most; perfect scores, whose error is not 0 either, are never refused."""
    rule = Gate(guardrails=(ceiling("calibration_error", 0.1),), min_rows=4, min_rarer=2)
    assert shares(rule, partial(calibrated, rows, rate, 0.1))["accepted"] <= AT_MOST
    assert shares(rule, partial(calibrated, rows, rate, 0.1))["refused"] <= AT_MOST
    perfect = shares(rule, partial(calibrated, rows, rate, 0.0))
    assert perfect["accepted"] >= power
    assert perfect["refused"] == 0
    assert shares(rule, partial(calibrated, rows, rate, 0.3))["refused"] >= (0.5 if rows == 200 else 0.9)


SEEN = 1.0
"""Variance of what a champion knows of a request; the outcome depends on ``TOTAL``, and on a little chance."""
TOTAL = 2.0
BIAS = -1.0


def true_loss(known: float) -> float:
    """The expected log loss of calibrated scores that know this much of the variance: their expected entropy."""
    at, weights = np.polynomial.hermite_e.hermegauss(99)
    score = calibrated_score(at * math.sqrt(known), known)
    return float(weights @ (entr(score) + entr(1 - score)) / weights.sum())


def calibrated_score(seen: Floats, known: float) -> Floats:
    """The probability of a positive given the known part, where the rest is normal: a probit."""
    return np.asarray(ndtr((BIAS + seen) / math.sqrt(1 + TOTAL - known)))


def knowing(increase: float, base: float) -> float:
    """How much a candidate knows whose expected loss lies this share above that of one who knows ``base``."""
    return bisect(lambda known: true_loss(known) > (1 + increase) * true_loss(base), 0.0, base)


def requests(rows: int, known: float, random: np.random.Generator) -> tuple[Scored, Scored]:
    """A candidate who knows so much of each request, and a champion who knows another part, of variance ``SEEN``."""
    ours, theirs, rest = (random.normal(size=rows) * math.sqrt(v) for v in (known, SEEN, TOTAL - SEEN - known))
    labels = ours + theirs + rest + random.normal(size=rows) + BIAS > 0
    return scored(calibrated_score(ours, known), labels), scored(calibrated_score(theirs, SEEN), labels)


def of_days(rows: int) -> Ints:
    """The day of each row, of ten."""
    return np.arange(rows) * 10 // rows


def beside_champion(rows: int, known: float, random: np.random.Generator) -> Any:
    """A candidate and a champion of requests without any effect of the day."""
    ours, theirs = requests(rows, known, random)
    return evidence(BINARY, ours, champion=compared(BINARY, ours, theirs, of_days(rows)))


def compared(objective: Any, ours: Scored, theirs: Scored, days: Ints | None) -> Any:
    """The comparison's document."""
    difference = loss_difference(objective, ours, theirs, days)
    return {"version": 1, "loss": mean_loss(objective, theirs).as_json(), "difference": difference.as_json()}


@pytest.mark.parametrize(("rows", "increase"), [(500, 0.05), (2_000, 0.02), (2_000, 0.05)])
def test_worse_by_the_margin_is_accepted_and_refused_by_chance_alone(rows: int, increase: float) -> None:
    """Calibrated scores whose true loss lies exactly the margin above the champion's: either in 5 % at most."""
    rule = Gate(max_loss_increase=increase)
    found = shares(rule, partial(beside_champion, rows, knowing(increase, SEEN)))
    assert found["accepted"] <= AT_MOST
    assert found["refused"] <= AT_MOST


@pytest.mark.parametrize(("rows", "increase", "power"), [(2_000, 0.05, 0.4), (2_000, 0.1, 0.9), (6_000, 0.05, 0.8)])
def test_an_equal_model_is_accepted_with_power(rows: int, increase: float, power: float) -> None:
    """As often as stated by size, though it knows quite other things than the champion, and hardly ever refused."""
    found = shares(Gate(max_loss_increase=increase), partial(beside_champion, rows, SEEN))
    assert found["accepted"] >= power
    assert found["refused"] <= 0.01


def beside_constant(rows: int, known: float, random: np.random.Generator) -> Any:
    """A candidate beside the constant that is right on average."""
    seen, rest = random.normal(size=rows) * math.sqrt(known), random.normal(size=rows) * math.sqrt(1 + TOTAL - known)
    ours = scored(calibrated_score(seen, known), seen + rest + BIAS > 0)
    constant = ours.beside((NormalDist().cdf(BIAS / math.sqrt(1 + TOTAL)),))
    found = compared(BINARY, ours, constant, of_days(rows))
    return evidence(BINARY, ours, {"outputs": [], "loss": found["loss"]["value"], "difference": found["difference"]})


@pytest.mark.parametrize(("rows", "skill"), [(500, 0.05), (500, 0.2), (2_000, 0.1), (2_000, 0.4)])
def test_the_least_skill_is_accepted_and_refused_by_chance_alone(rows: int, skill: float) -> None:
    """A true loss exactly that share below the constant's: either happens in 5 % at most."""
    rule = Gate(min_skill=skill)
    known = bisect(lambda one: true_loss(one) > (1 - skill) * true_loss(0.0), 0.0, TOTAL)
    found = shares(rule, partial(beside_constant, rows, known))
    assert found["accepted"] <= AT_MOST
    assert found["refused"] <= AT_MOST


def on_days(effect: float, clustered: bool, worse: float, random: np.random.Generator) -> Any:  # noqa: FBT001
    """Losses of 20 days of 50 rows: hard rows are hard for both, and on some days one of the two does better.

    Args:
        effect: how far the mean difference of a day lies from that of all days, its standard deviation.
        clustered: whether the gate knows the days.
        worse: the true difference of the candidate, as a share of the champion's loss.
        random: draws them.
    """
    days = np.repeat(np.arange(20), 50)
    hard = random.gamma(2, 0.5, size=1_000)
    noise = 0.3 * random.normal(size=1_000) + effect * random.normal(size=20)[days]
    absolute, labels = Regression("absolute"), np.zeros(1_000)
    theirs, ours = scored(hard + 9, labels), scored((hard + 9) * (1 + worse) + noise, labels)
    champion = compared(absolute, ours, theirs, days if clustered else None)
    return evidence(absolute, ours, champion=champion)


@pytest.mark.parametrize("effect", [0.0, 0.1, 0.3])
def test_days_that_differ_do_not_make_it_err_more_often(effect: float) -> None:
    """Rows of one day depend on each other; clustered by day, a candidate at the margin passes in 5 % at most."""
    found = shares(Gate(max_loss_increase=0.02), partial(on_days, effect, True, 0.02))
    assert found["accepted"] <= AT_MOST
    assert found["refused"] <= AT_MOST


def test_rows_counted_as_independent_would_err_far_more_often() -> None:
    """The days matter: without them a candidate at the margin passes in more than 30 %, and as often is refused."""
    found = shares(Gate(max_loss_increase=0.02), partial(on_days, 0.3, False, 0.02))
    assert found["accepted"] > 0.3
    assert found["refused"] > 0.3


def test_on_days_that_differ_an_equal_model_is_accepted_with_power() -> None:
    """The bound by day is wide, and not so wide that nothing passes."""
    found = shares(Gate(max_loss_increase=0.02), partial(on_days, 0.3, True, 0.0))
    assert found["accepted"] >= 0.8
    assert found["refused"] == 0
