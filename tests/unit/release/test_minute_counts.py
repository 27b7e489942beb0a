"""Proves that what is marked of requests comes back as the counts of both arms."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallbox.release.canary_marks import CLUSTERS, CanaryMark
from smallbox.release.harm_counts import COUNTED
from smallbox.release.minute_counts import arm_counts, counters_of, trouble_of_challenger
from smallbox.times import MILLISECOND, MINUTE

SLOW = 250 * MILLISECOND
marks = st.builds(
    CanaryMark,
    challenger=st.just(2),
    arm=st.sampled_from(["champion", "challenger"]),
    cluster=st.integers(0, CLUSTERS - 1),
    at=st.integers(0, 3 * MINUTE - 1),
    milliseconds=st.floats(0, 20_000).map(lambda value: round(value, 1)),
    failed=st.booleans(),
    fallback=st.booleans(),
    missing=st.booleans(),
)


@given(marks)
def test_a_mark_comes_back_from_its_document(mark: CanaryMark) -> None:
    """A mark equals what is read of its document."""
    assert CanaryMark.from_json(mark.as_json()) == mark


@given(st.lists(marks, max_size=40))
def test_every_mark_is_counted_once(found: list[CanaryMark]) -> None:
    """By arm and figure, minutes and clusters both add up to the number of marks."""
    counters = counters_of(found, SLOW)
    counts = arm_counts([counters[at] for at in sorted(counters)])
    for arm, name in enumerate(("champion", "challenger")):
        own = [mark for mark in found if mark.arm == name]
        late = [mark for mark in own if mark.milliseconds > 250]
        expected = [len(own), *(sum(getattr(m, figure) for m in own) for figure in ("failed", "fallback", "missing"))]
        totals = dict(zip(COUNTED, counts.minutes.sum(axis=0)[arm], strict=True))
        assert [totals[figure] for figure in ("asked", "failed", "fallback", "missing")] == expected
        assert totals["slow"] == len(late)
    assert (counts.minutes.sum(axis=0) == counts.clusters.sum(axis=0)).all()


def test_minutes_and_challengers_are_kept_apart() -> None:
    """The key of counters is the challenger and the minute's first moment."""
    found = [CanaryMark(challenger, "champion", 0, at, 1.0) for challenger in (2, 3) for at in (59, MINUTE + 1)]
    assert counters_of(found, SLOW).keys() == {(2, 0), (2, MINUTE), (3, 0), (3, MINUTE)}


@pytest.mark.parametrize(("arm", "trouble"), [("challenger", 3), ("champion", 0)])
def test_only_trouble_of_the_challenger_rings(arm: str, trouble: int) -> None:
    """A failed one, a late one and one from the fallback are three; a good one is none."""
    found = [
        CanaryMark(2, arm, 0, 0, 0.0, failed=True),
        CanaryMark(2, arm, 0, 0, 300.0),
        CanaryMark(2, arm, 0, 0, 1.0, fallback=True),
        CanaryMark(2, arm, 0, 0, 1.0),
    ]
    assert trouble_of_challenger(counters_of(found, SLOW)[2, 0]) == trouble


def test_the_p99_is_the_edge_that_99_of_100_stay_below() -> None:
    """Of 99 answers of 30 ms and one of 3 s it is 50 ms; of an arm without answers it is unknown."""
    found = [CanaryMark(2, "challenger", 0, 0, 30.0)] * 99 + [CanaryMark(2, "challenger", 0, 0, 3_000.0)]
    counters = counters_of(found, SLOW)
    assert arm_counts([*counters.values()]).p99 == (None, 50.0)
