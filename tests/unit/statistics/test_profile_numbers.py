"""Proves the numbers of a profile: what rows would give, variances that chance has, and changes that they show."""

import math

import numpy as np
import pytest

from smallbox.arrays import Floats
from smallbox.statistics.day_streams import DayValue
from smallbox.statistics.profile_numbers import (
    category_numbers,
    numeric_numbers,
    share_number,
)

REFERENCE = [100] * 20
EDGES = np.quantile(np.random.default_rng(0).standard_normal(100_000), np.arange(1, 20) / 20)


def _counts(values: Floats) -> list[int]:
    return [int(one) for one in np.bincount(np.searchsorted(EDGES, values), minlength=20)]


def test_the_variances_are_those_of_many_samples() -> None:
    """Each number of 2,000 samples of 300 rows varies as it says, within 15 %."""
    rng = np.random.default_rng(1)
    samples = [
        numeric_numbers(REFERENCE, _counts(rng.standard_normal(300)), int(rng.binomial(300, 0.05)), None)
        for _ in range(2_000)
    ]
    for name in ("location", "spread", "missing"):
        found = np.var([one[name].value for one in samples])
        stated = np.mean([one[name].variance for one in samples])
        assert found == pytest.approx(float(stated), rel=0.15)


def test_a_shift_moves_the_location_and_a_scale_the_spread() -> None:
    """By more than ten standard errors, and the other number by less than four."""
    rng = np.random.default_rng(2)
    usual, shifted, scaled = (
        numeric_numbers(REFERENCE, _counts(rows), 0, 0)
        for rows in (rng.standard_normal(5_000), rng.normal(0.3, 1, 5_000), rng.normal(0, 1.3, 5_000))
    )

    def errors(one: dict[str, DayValue], name: str) -> float:
        return abs(one[name].value - usual[name].value) / math.sqrt(usual[name].variance * 2)

    assert errors(shifted, "location") > 10
    assert errors(scaled, "spread") > 10
    assert errors(scaled, "location") < 4


def test_a_category_that_gains_five_points_has_a_stream_that_shows_it() -> None:
    """A category of 20 % that becomes 25 % of 2,000 rows moves by more than five standard errors."""
    reference = {"a": 500, "b": 200, "c": 150, "d": 100, "e": 40, "f": 10}
    usual = category_numbers(reference, {name: 2 * count for name, count in reference.items()}, 0, 0)
    moved = category_numbers(reference, {"a": 900, "b": 500, "c": 300, "d": 200, "e": 80, "f": 20}, 0, 0)
    gap = moved["category b"].value - usual["category b"].value
    assert gap / math.sqrt(usual["category b"].variance) > 5
    assert "category f" not in usual


def test_unseen_and_missing_texts_have_streams_of_their_own() -> None:
    """Rows without a text count in the share of missing ones alone."""
    found = category_numbers({"a": 90, "": 10}, {"a": 50, "": 5}, unseen=45, missing=100)
    assert found["unseen"] == share_number(45, 100)
    assert found["missing"] == share_number(100, 200)
    assert found["light categories"] == share_number(5, 100)


def test_a_day_without_rows_has_no_numbers() -> None:
    """They are NaN, not 0."""
    found = numeric_numbers(REFERENCE, [0] * 20, 7, 0)
    assert math.isnan(found["location"].value)
    assert math.isnan(found["outside"].value)
    assert found["missing"].value > 1
