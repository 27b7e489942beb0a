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

from smallbox.arrays import Bools, Floats
from smallbox.define.rules import Gate
from smallbox.documents.metrics import BinaryMetrics
from smallbox.objectives.binary import measure
from smallbox.registry.gate import judge
from smallbox.statistics.confidence import CONFIDENCE
from smallbox.statistics.ranking import auc_gain

RUNS = 1_000
AT_MOST = 1 - CONFIDENCE + 0.02
LEAST = Gate(min_auc=0.7, max_calibration_error=1.0, min_rows=4, min_rarer=2)
ALIKE: Any = {"largest": 0.0, "limit": 1e-4}
LABELS: Any = {"unlabelled_share": 0.0, "selection_auc": None, "selection_auc_standard_error": None}

Figures = tuple[BinaryMetrics, Any]


def shares(rule: Gate, draw: Callable[[np.random.Generator], Figures]) -> Mapping[str, float]:
    """How often each outcome came."""
    random = np.random.default_rng(22)
    outcomes = []
    for _ in range(RUNS):
        metrics, champion = draw(random)
        outcomes.append(judge(rule, metrics, ALIKE, champion, LABELS).outcome)
    return {outcome: outcomes.count(outcome) / RUNS for outcome in ("accepted", "refused", "cannot_tell")}


def classes(rows: int, rate: float) -> Bools:
    """Labels with that share of positives."""
    labels: Bools = np.arange(rows) < round(rows * rate)
    return labels


def apart(auc: float) -> float:
    """How far two normal distributions lie apart that give this AUC."""
    return math.sqrt(2) * NormalDist().inv_cdf(auc)


def ranked(labels: Bools, auc: float, random: np.random.Generator) -> Figures:
    """A candidate of that true AUC."""
    return measure(_score(random.normal(labels * apart(auc))), labels), None


def _score(logit: Floats) -> Floats:
    scores: Floats = 1 / (1 + np.exp(-logit))
    return scores


@pytest.mark.parametrize("rows", [20, 30, 50])
@pytest.mark.parametrize("rate", [0.1, 0.3, 0.5])
def test_noise_does_not_pass_however_few_rows_are_asked_for(rows: int, rate: float) -> None:
    """With 20 to 50 rows, and a gate that takes them, noise passes an AUC of .7 in 5 % at most; by default never."""
    noise = partial(ranked, classes(rows, rate), 0.5)
    assert shares(LEAST, noise)["accepted"] <= AT_MOST
    assert shares(Gate(min_auc=0.7), noise) == {"accepted": 0, "refused": 0, "cannot_tell": 1}


@pytest.mark.parametrize(("rows", "rate"), [(100, 0.2), (400, 0.05), (1_000, 0.02), (1_000, 0.2)])
@pytest.mark.parametrize("limit", [0.6, 0.85, 0.95])
def test_a_candidate_at_the_least_auc_is_accepted_and_refused_by_chance_alone(
    rows: int, rate: float, limit: float
) -> None:
    """Either happens in 5 % at most, at the least sizes that the gate takes too."""
    found = shares(Gate(min_auc=limit, max_calibration_error=1.0), partial(ranked, classes(rows, rate), limit))
    assert found["accepted"] <= AT_MOST
    assert found["refused"] <= AT_MOST


def calibrated(rows: int, rate: float, shift: float, random: np.random.Generator) -> Figures:
    """A candidate whose scores are all too low by ``shift``."""
    scores = random.beta(2, 2 / rate - 2, rows)
    labels = random.random(rows) < np.minimum(scores + shift, 1)
    return measure(scores, labels), None


@pytest.mark.parametrize(
    ("rows", "rate", "power"), [(200, 0.1, 0.85), (400, 0.05, 0.95), (400, 0.5, 0.75), (1_000, 0.2, 0.99)]
)
def test_the_calibration_error_is_judged_beside_what_chance_makes_of_it(rows: int, rate: float, power: float) -> None:
    """Off by the limit of .1 passes in 5 % at most; perfect scores, whose error is not 0 either, are never refused."""
    rule = Gate(min_auc=0.0, max_calibration_error=0.1, min_rows=4, min_rarer=2)
    assert shares(rule, partial(calibrated, rows, rate, 0.1))["accepted"] <= AT_MOST
    assert shares(rule, partial(calibrated, rows, rate, 0.1))["refused"] <= AT_MOST
    perfect = shares(rule, partial(calibrated, rows, rate, 0.0))
    assert perfect["accepted"] >= power
    assert perfect["refused"] == 0
    assert shares(rule, partial(calibrated, rows, rate, 0.3))["refused"] >= (0.5 if rows == 200 else 0.9)


def beside(labels: Bools, loss: float, random: np.random.Generator) -> Figures:
    """A candidate worse by ``loss`` than a champion of AUC .75; their scores are correlated by .95 in each class."""
    shared = random.normal(size=len(labels)) * math.sqrt(0.95)
    ours, theirs = (
        shared + math.sqrt(0.05) * random.normal(size=len(labels)) + labels * apart(auc) for auc in (0.75 - loss, 0.75)
    )
    gain = auc_gain(ours, theirs, labels)
    champion = {"auc_gain": gain.value, "auc_gain_standard_error": math.sqrt(gain.variance)}
    return measure(_score(ours), labels), champion


@pytest.mark.parametrize(
    ("rows", "rate", "power"), [(500, 0.1, 0.4), (1_000, 0.1, 0.7), (2_000, 0.1, 0.9), (1_000, 0.2, 0.9)]
)
def test_worse_by_the_tolerance_is_accepted_by_chance_alone_and_equal_with_power(
    rows: int, rate: float, power: float
) -> None:
    """Worse by .02 is accepted in 5 % at most; an equal model as often as stated by size, and hardly ever refused."""
    rule = Gate(min_auc=0.5, max_calibration_error=1.0)
    labels = classes(rows, rate)
    worse, equal = (shares(rule, partial(beside, labels, loss)) for loss in (0.02, 0.0))
    assert worse["accepted"] <= AT_MOST
    assert equal["accepted"] >= power
    assert equal["refused"] <= 0.01
