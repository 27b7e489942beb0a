"""Proves that a plan counts units as an experiment would meet them, and says when it never would."""

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallbox.release.experiment_traffic import RecentUnits


def _recent(*new_by_day: int) -> RecentUnits:
    return RecentUnits(pa.table({}), np.array(new_by_day))


@pytest.mark.parametrize(
    ("new_by_day", "units", "days"),
    [
        ((100,) * 28, 1_000, 10),
        ((100,) * 28, 5_600, 56),
        ((1_000, *[10] * 27), 1_100, 11),
        ((1_000, *[10] * 27), 2_270, 128),
        ((0,) * 28, 1, math.inf),
        ((500, *[0] * 27), 501, math.inf),
    ],
)
def test_days_are_those_of_the_traffic(new_by_day: tuple[int, ...], units: int, days: float) -> None:
    """Units that come again are not new: the first day has most of them; after the period the last week goes on."""
    assert _recent(*new_by_day).days_until(units) == pytest.approx(days)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=28), st.floats(1, 5_000))
def test_more_units_never_take_fewer_days(new_by_day: list[int], units: float) -> None:
    """Also over days without anybody new."""
    recent = _recent(*new_by_day)
    assert recent.days_until(units) <= recent.days_until(units * 1.1)
