"""Proves the verdict of an experiment: which word, and what its sentence says."""

from dataclasses import replace
from typing import Any

import pytest

from smallbox.release.experiment_record import ExperimentRecord
from smallbox.release.experiment_sums import ExperimentSums, RatioCheck
from smallbox.release.experiment_verdict import judged_experiment
from smallbox.times import DAY
from tests.unit.release.experiments import experiment, guarded, record_of


def _judged(record: ExperimentRecord, days: int = 10) -> dict[str, Any]:
    return judged_experiment(record, days * DAY)


@pytest.mark.parametrize(
    ("means", "units", "word", "sentence"),
    [
        ((10.0, 10.8), 5_000, "better", "version 2 is better than version 1 on orders.amount: +8.0%, between"),
        ((10.0, 9.2), 5_000, "worse", "version 2 is worse than version 1 on orders.amount: -8.0%"),
        ((10.0, 10.0), 90_000, "no_difference", "versions 1 and 2 do not differ by more than 2.0% on orders.amount"),
        (
            (10.0, 10.1),
            5_000,
            "cannot_tell",
            "would be found, in four of five experiments, with 37,575 units: in about",
        ),
        ((10.0, 10.17), 90_000, "better", "180,000 units"),
        ((10.0, 10.0), 99, "cannot_tell", "198 units of versions 1 and 2 have an orders.amount whose window of 1d"),
        ((10.0, 10.0, 10.9), 5_000, "better", "version 3 is better than version 1"),
        ((10.0, 9.0, 9.1), 5_000, "worse", "version 2 is worse than version 1 on orders.amount: -10.0%"),
        ((10.0, 9.0, 10.0), 5_000, "cannot_tell", "cannot tell whether versions 1 and 3 differ"),
    ],
)
def test_the_main_outcome_decides(means: tuple[float, ...], units: int, word: str, sentence: str) -> None:
    """The others are compared with the first, each with its share of the error."""
    result = _judged(record_of(means, units))
    assert result["verdict"] == word, result["sentence"]
    assert sentence in result["sentence"]


def test_an_outcome_that_is_better_when_lower_is_read_so() -> None:
    """The same difference, the other verdict."""
    measured = experiment()
    lower = replace(measured, outcome=replace(measured.outcome, better="lower"))
    assert _judged(record_of((10.0, 9.2), measured=lower))["verdict"] == "better"
    assert _judged(record_of((10.0, 10.8), measured=lower))["verdict"] == "worse"


def test_nothing_is_said_before_the_minimum_runtime() -> None:
    """However clear the difference is."""
    result = _judged(record_of((10.0, 12.0)), days=6)
    assert (result["verdict"], result["sentence"]) == ("wait", "it has run for 6.0 of at least 7 days")


@pytest.mark.parametrize(
    ("returns", "word", "sentence"),
    [
        ((10.0, 9.9), "better", "stop the experiment and promote it"),
        ((10.0, 10.5), "cannot_tell", "but it is not known yet whether it keeps within the worst of orders.returns"),
        (
            (10.0, 12.0),
            "guardrail",
            "version 2 is worse than version 1 by more than 5.0% on the guardrail orders.returns",
        ),
    ],
)
def test_a_better_version_must_keep_the_guardrails(returns: tuple[float, float], word: str, sentence: str) -> None:
    """A guardrail that is not known to be kept holds the verdict; one that is broken ends the experiment."""
    result = _judged(record_of((10.0, 12.0), returns=returns, measured=guarded()))
    assert result["verdict"] == word, result["sentence"]
    assert sentence in result["sentence"]


def test_a_broken_guardrail_does_not_wait() -> None:
    """Harm is stopped before the minimum runtime."""
    record = record_of((10.0, 10.0), returns=(10.0, 13.0), measured=guarded())
    assert _judged(record, days=1)["verdict"] == "guardrail"


@pytest.mark.parametrize(
    ("kind", "cause"), [("assigned", "retry or a cache"), ("answered", "the fallback"), ("measured", "the join")]
)
def test_a_wrong_sample_ratio_ends_it_whatever_the_effect(kind: Any, cause: str) -> None:
    """The sentence names the units, the declared shares, and where to look; the smallest p of all looks counts."""
    record = record_of((10.0, 12.0))
    check = record.sums.ratios[kind].seen({1: 6_000, 2: 5_000}, record.running.weights)
    check = check.seen({1: 6_000, 2: 6_000}, record.running.weights)
    result = _judged(replace(record, sums=replace(record.sums, ratios={**record.sums.ratios, kind: check})))
    assert result["verdict"] == "sample_ratio"
    assert f"the units {kind} are 6,000 of version 1 (50% declared)" in result["sentence"]
    assert cause in result["sentence"]


def test_many_versions_share_the_error() -> None:
    """Of two others each has half of it, so its bounds are wider than alone."""
    alone, together = record_of((10.0, 10.5)), record_of((10.0, 10.5, 10.5))
    width = [_judged(one)["effects"][0]["high"] - _judged(one)["effects"][0]["low"] for one in (alone, together)]
    assert width[0] < width[1]


def test_a_record_is_kept_as_it_is() -> None:
    """What the registry gives back is what was stored, with sums to the last digit."""
    record = replace(record_of((10.0, 10.3), returns=(1.0, 1.1), measured=guarded()), revision=3)
    assert ExperimentRecord.from_json(record.as_json()) == record
    assert ExperimentSums.from_json(record.sums.as_json()) == record.sums
    assert RatioCheck.from_json(RatioCheck({1: 2}, 0.5).as_json()) == RatioCheck({1: 2}, 0.5)
