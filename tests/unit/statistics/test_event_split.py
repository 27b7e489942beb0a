"""Proves that the bounds of how two arms split a rare event keep their error at every look, however few events."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallbox.statistics.event_split import EventSplit

_SHARES = st.floats(0.01, 0.99)
_EVENTS = st.integers(0, 300)


@pytest.mark.parametrize(("share", "ratio"), [(0.1, 1.0), (0.1, 4.0), (0.5, 0.3)])
def test_the_true_split_is_seldom_ever_outside(share: float, ratio: float) -> None:
    """400 experiments with a conversion in 200 units, looked at 25 times: at most 5 % ever miss the truth."""
    random, truth = np.random.default_rng(3), share * ratio / (share * ratio + 1 - share)
    events = random.poisson(2.0, (400, 25))
    second = random.binomial(events, truth)
    missed = 0
    for run in np.stack([(events - second).cumsum(axis=1), second.cumsum(axis=1)], axis=2).tolist():
        bounds = [EventSplit(one, other, share).bounds(0.05) for one, other in run]
        missed += any(not low <= truth <= high for low, high in bounds)
    assert missed / 400 <= 0.05


@given(first=_EVENTS, second=_EVENTS, share=_SHARES)
def test_the_bounds_hold_the_observed_split_and_mirror(first: int, second: int, share: float) -> None:
    """What was seen lies within; with the arms exchanged the bounds are exchanged too."""
    low, high = EventSplit(first, second, share).bounds(0.05)
    assert 0 <= low <= high <= 1
    if first + second:
        assert low <= second / (first + second) <= high
    other_low, other_high = EventSplit(second, first, 1 - share).bounds(0.05)
    assert (1 - other_high, 1 - other_low) == pytest.approx((low, high), abs=1e-6)


@given(first=_EVENTS, second=_EVENTS, share=_SHARES, factor=st.floats(0.5, 2))
def test_a_difference_has_the_sign_of_its_ratio(first: int, second: int, share: float, factor: float) -> None:
    """The second rate is surely above ``factor`` times the first just where the split is above that of such rates."""
    split = EventSplit(first, second, share)
    low, high = split.bounds(0.05)
    equal = factor * share / (factor * share + 1 - share)
    found = split.difference(0.01, 0.05, factor)
    assert ((found[0] > 1e-9) == (low > equal + 1e-7)) or abs(low - equal) < 1e-5
    assert ((found[1] < -1e-9) == (high < equal - 1e-7)) or abs(high - equal) < 1e-5
