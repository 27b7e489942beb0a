"""Proves the drift index: its laws, and that chance exceeds the stated bound as seldom as is stated."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallbox.monitoring.psi import missing_share, psi, psi_by_chance

counts = st.lists(st.integers(0, 1000), min_size=5, max_size=5)


@given(counts, counts)
def test_the_index_is_a_distance_of_shares(one: list[int], other: list[int]) -> None:
    """Never negative, the same in both directions, and nothing between equal counts, empty bins or not."""
    assert psi(one, other) >= 0
    assert psi(one, other) == pytest.approx(psi(other, one), abs=1e-12)
    assert psi(one, one) == 0


def test_the_index_is_the_published_formula() -> None:
    """Half moved to the next of two bins: 0.4 * ln 9 per bin, but for the half rows that empty bins would count."""
    assert psi([90_000, 10_000], [10_000, 90_000]) == pytest.approx(2 * 0.8 * np.log(9), rel=1e-3)


@pytest.mark.parametrize(("reference", "seen"), [(5000, 300), (1000, 1000), (50_000, 5000)])
def test_chance_exceeds_the_bound_as_seldom_as_stated(reference: int, seen: int) -> None:
    """Of 20 000 pairs of samples from one distribution of ten bins, about one of a hundred exceeds it."""
    random = np.random.default_rng(0)
    shares = np.full(10, 0.1)
    pairs = zip(random.multinomial(reference, shares, 20_000), random.multinomial(seen, shares, 20_000), strict=True)
    bound = psi_by_chance([reference // 10] * 10, [seen // 10] * 10)
    exceeded = sum(psi(one, other) > bound for one, other in pairs) / 20_000
    assert exceeded == pytest.approx(0.01, abs=0.004)


def test_the_bound_is_wider_for_fewer_rows() -> None:
    """Small samples move more."""
    assert psi_by_chance([500] * 10, [50] * 10) > psi_by_chance([500] * 10, [500] * 10)


def test_the_missing_share_is_of_all_rows() -> None:
    """Missing of known and missing; of no rows, none."""
    assert missing_share({"counts": [6, 2], "missing": 2}) == 0.2
    assert missing_share({"counts": [0, 0], "missing": 0}) == 0
