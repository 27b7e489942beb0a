"""Proves that a share which is at its limit breaches as seldom as is stated, and a limit of 0 allows none."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallbox.statistics.confidence import CONFIDENCE
from smallbox.statistics.shares import lower_share, surely_above, surely_below


@pytest.mark.parametrize(("rows", "limit"), [(200, 0.05), (1000, 0.01), (5000, 0.1), (500, 0.5)])
def test_a_share_at_its_limit_breaches_as_seldom_as_stated(rows: int, limit: float) -> None:
    """Of 20,000 days whose true share is the limit, about one in twenty breaches, to either side."""
    counts, seen = np.unique(np.random.default_rng(0).binomial(rows, limit, 20_000), return_counts=True)
    above = sum(n for count, n in zip(counts, seen, strict=True) if surely_above(int(count), rows, limit)) / 20_000
    below = sum(n for count, n in zip(counts, seen, strict=True) if surely_below(int(count), rows, limit)) / 20_000
    assert above < 1 - CONFIDENCE + 0.03
    assert below < 1 - CONFIDENCE + 0.03


@given(st.integers(1, 10_000), st.data())
def test_the_bound_lies_below_the_share_and_grows_with_it(rows: int, data: st.DataObject) -> None:
    """One more that is seen never lowers the bound; none is 0, and one is above 0."""
    count = data.draw(st.integers(0, rows - 1))
    assert lower_share(count, rows) <= count / rows + 1e-12
    assert lower_share(count, rows) < lower_share(count + 1, rows) <= 1
    assert not surely_above(0, rows, 0.0)
    assert surely_above(1, rows, 0.0)
