"""Proves that answers unlike the shadow are counted by cluster of keys, as the limit of harm needs them."""

import numpy as np
import pytest

from smallbox.define.release_rules import HarmLimits
from smallbox.release.canary_look import unlike_of
from smallbox.release.canary_marks import CLUSTERS
from smallbox.release.harm import judge_harm
from smallbox.release.harm_counts import UnlikeCounts
from smallbox.times import DAY, day_of
from tests.unit.release.test_harm import counts


def _day(at: int, compared: int, unlike: int) -> dict[str, object]:
    return {"day": day_of(at * DAY), "unlike": {"clusters": [[compared] * CLUSTERS, [unlike] * CLUSTERS]}}


def test_days_since_a_moment_add_up_by_cluster() -> None:
    """A day that ended before the step began is left out; without compared answers there are no counts."""
    days = [_day(1, 5, 5), _day(2, 3, 1), _day(3, 4, 0)]
    found = unlike_of(days, 2 * DAY + 1)
    assert isinstance(found, UnlikeCounts)
    assert found.compared.tolist() == [7.0] * CLUSTERS
    assert found.unlike.tolist() == [1.0] * CLUSTERS
    assert unlike_of(days, 9 * DAY) is None
    assert unlike_of([_day(3, 0, 0)], 0) is None


@pytest.mark.parametrize("clusters", [1, CLUSTERS])
def test_a_single_cluster_never_tells(clusters: int) -> None:
    """All answers in one cluster are one observation, so counts are kept by cluster."""
    seen = counts(np.random.default_rng(1))
    unlike = UnlikeCounts(np.full(clusters, 3_200.0 / clusters), np.full(clusters, 640.0 / clusters))
    assert judge_harm(HarmLimits(), seen, unlike).is_harm == (clusters == CLUSTERS)
