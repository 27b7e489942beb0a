"""Proves what the figures of a profile are: counts, moments, distinct values and extreme rows."""

import math

import numpy as np
import pyarrow as pa
import pytest

from smallbox.profiles.building import CATEGORIES, build_profile, layout_of_values
from smallbox.profiles.layout import ProfileLayout, declared_bins, numeric_bins
from smallbox.profiles.profile import Profile


def _numbers(reference: list[float], values: list[float]) -> Profile:
    layout = layout_of_values({"x": np.array(reference, float)})
    return build_profile(layout, {"x": np.array(values, float)}, np.arange(len(values)))


def test_values_outside_the_reference_are_counted_as_tails() -> None:
    """Below its smallest, above its greatest value, infinite ones too; a missing value is neither."""
    column = _numbers([1, 2, 3], [0.5, 1, 2, 2, 3, 3.1, math.inf, -math.inf, math.nan]).column("x")
    assert (column.below, column.counts.tolist(), column.above, column.missing) == (2, [1, 2, 1], 2, 1)


def test_a_reference_of_many_values_gives_64_bins_of_about_equal_counts() -> None:
    """No bin of the reference holds more than twice its share."""
    values = np.random.default_rng(1).gamma(2.0, 3.0, 10_000)
    column = build_profile(layout_of_values({"x": values}), {"x": values}, np.arange(10_000)).column("x")
    assert (len(column.counts), column.below, column.above) == (64, 0, 0)
    assert column.counts.max() < 2 * 10_000 / 64


def test_texts_are_categories_rest_or_unseen() -> None:
    """The 50 most frequent texts have counts; known others are the rest; a new one is unseen; ``""`` is missing."""
    reference = pa.array(["a", "a", *(f"t{n:03}" for n in range(60))])
    layout = layout_of_values({"t": reference})
    found = pa.array(["a", "t000", "t059", "t058", "new", "", None])
    column = build_profile(layout, {"t": found}, np.arange(7)).column("t")
    assert len(column.counts) == CATEGORIES
    assert column.counts[:2].tolist() == [1, 1]
    assert (column.rest, column.unseen, column.missing, column.known) == (2, 1, 2, 5)


def test_mean_and_variance_are_those_of_exact_arithmetic() -> None:
    """Also where sums of squares of floats have lost every digit: a million, and differences of a thousandth."""
    values = [1e6, 1e6 + 0.001, 1e6 + 0.002]
    column = _numbers(values, values).column("x")
    assert column.mean == pytest.approx(1e6 + 0.001, abs=1e-6)
    assert column.variance == pytest.approx(1e-6, rel=0.01)
    small = np.random.default_rng(2).normal(3.0, 0.5, 5_000)
    column = build_profile(layout_of_values({"x": small}), {"x": small}, np.arange(5_000)).column("x")
    assert column.mean == pytest.approx(small.mean(), rel=1e-9)
    assert column.variance == pytest.approx(small.var(ddof=1), rel=1e-8)


@pytest.mark.parametrize("distinct", [0, 1, 30, 900, 2_500, 20_000])
def test_distinct_values_are_counted_within_four_standard_errors(distinct: int) -> None:
    """13 % at most, for numbers and for texts, however often each occurs."""
    numbers = np.repeat(np.random.default_rng(3).normal(size=distinct), 2)
    names = pa.array([f"name {n}" for n in range(distinct)] * 2, pa.string())
    values = {"x": numbers, "t": names}
    profile = build_profile(layout_of_values(values), values, np.arange(2 * distinct))
    for name in values:
        assert profile.column(name).distinct == pytest.approx(distinct, rel=0.13)


def test_sums_saturate_far_beyond_the_reference() -> None:
    """A value a million times as large as the reference's counts as that in the mean, and is kept as an extreme row."""
    column = _numbers([1.0], [1e300]).column("x")
    assert column.mean == 2.0**20
    assert (column.above, column.highest[0].value) == (1, 1e300)


def test_the_most_extreme_rows_are_kept_with_time_and_key() -> None:
    """Four at each end, the most extreme first; equal values by their event time."""
    layout = layout_of_values({"x": np.arange(10.0)})
    values = np.array([5.0, 9, 1, 9, np.nan, np.inf, 7, 8, 2])
    profile = build_profile(layout, {"x": values}, np.arange(9), np.arange(100, 109, dtype=np.uint64))
    column = profile.column("x")
    assert [(one.value, one.time, one.key_hash) for one in column.highest] == [
        (9.0, 1, 101), (9.0, 3, 103), (8.0, 7, 107), (7.0, 6, 106)
    ]  # fmt: skip
    assert [one.value for one in column.lowest] == [1.0, 2.0, 5.0, 7.0]


def test_a_column_that_rows_lack_is_missing_in_all_of_them() -> None:
    """A profile has every column of its layout."""
    layout = layout_of_values({"x": np.arange(3.0), "t": pa.array(["a"])})
    profile = build_profile(layout, {}, np.arange(4))
    assert (profile.column("x").missing, profile.column("t").missing) == (4, 4)
    assert math.isnan(profile.column("x").mean)


def test_a_layout_comes_back_from_its_bytes() -> None:
    """Edges are equal bit for bit, so a value falls into the same bin everywhere."""
    layout = layout_of_values({"x": np.random.default_rng(4).normal(size=999), "t": pa.array(["a", "b", "b"])})
    again = ProfileLayout.from_bytes(layout.to_bytes())
    assert again.digest == layout.digest
    values = {"x": np.random.default_rng(5).normal(size=99), "t": pa.array(["b"] * 99)}
    one, other = (build_profile(each, values, np.arange(99)) for each in (layout, again))
    assert one.to_bytes() == other.to_bytes()


def test_bins_without_a_reference_come_from_the_declaration() -> None:
    """Even ones over a declared range, which they cover; without a range any number has a bin or a tail."""
    edges = declared_bins(0.0, 128.0).edges
    assert (edges[0], len(edges)) == (0.0, 65)
    assert edges[1] == 2.0
    assert edges[-1] > 128.0
    assert (np.diff(declared_bins(None, None).edges) > 0).all()
    assert len(numeric_bins(np.array([np.nan])).edges) == 2
