"""Proves the join: every prediction keeps its row, and gets a label only from what was known in time."""

from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallbox.labels.join import ASKED_LATE, LABELLED, PENDING, UNLABELLED, coverage, join_labels
from smallbox.times import HOUR
from tests.fakes.small import late_parcel

LABEL = late_parcel.label
SILENCE_IS_NO = replace(LABEL, otherwise=False)
Outcome = tuple[str, int, bool | None]


def predictions(rows: Sequence[tuple[str, int]], lead: int = 0) -> pa.Table:
    """Predictions of keys at hours, each for an event that many hours later."""
    hours = [hour * HOUR for _, hour in rows]
    return pa.table(
        {
            "key": pa.array([key for key, _ in rows], pa.string()),
            "time": pa.array(hours, pa.int64()),
            "event_time": pa.array([hour + lead * HOUR for hour in hours], pa.int64()),
        }
    )


def outcomes(rows: Sequence[Outcome]) -> pa.Table:
    """Outcomes of keys that became known at hours."""
    return pa.table(
        {
            "parcel_id": pa.array([key for key, _, _ in rows], pa.string()),
            "known_at": pa.array([hour * HOUR for _, hour, _ in rows], pa.int64()),
            "late": pa.array([value for _, _, value in rows], pa.bool_()),
        }
    )


@pytest.mark.parametrize(
    ("outcome", "as_of", "status", "label"),
    [
        (("a", 5, True), 48, LABELLED, True),
        (("a", 5, False), 48, LABELLED, False),
        (("a", 24, True), 48, LABELLED, True),
        (("a", 25, True), 48, UNLABELLED, None),
        (("a", 5, True), 4, PENDING, None),
        (("a", 5, None), 48, UNLABELLED, None),
        (("a", 5, None), 12, PENDING, None),
        (("b", 5, True), 23, PENDING, None),
        (("b", 5, True), 24, UNLABELLED, None),
    ],
    ids=[
        "true", "false", "last moment", "too late", "not known yet", "null", "null, still open", "other, open",
        "other, over",
    ],
)  # fmt: skip
def test_an_outcome_counts_within_its_window(outcome: Outcome, as_of: int, status: str, label: bool | None) -> None:  # noqa: FBT001
    """Asked at hour 0 with a window of 24 hours: what was known by then counts, and no label is never negative."""
    found = join_labels(LABEL, predictions([("a", 0)]), outcomes([outcome]), as_of * HOUR).to_pylist()[0]
    assert (found["status"], found["label"]) == (status, label)
    assert found["label_known_at"] == (None if label is None else outcome[1] * HOUR)


def test_a_key_that_was_asked_twice_is_labelled_twice() -> None:
    """Each prediction has its own window: the outcome counts for the one, and is too late for the other."""
    asked = predictions([("a", 0), ("b", 0), ("a", 10)])
    found = join_labels(LABEL, asked, outcomes([("a", 30, True)]), 100 * HOUR)
    assert found["key"].to_pylist() == ["a", "b", "a"]
    assert found["label"].to_pylist() == [None, None, True]


@given(
    st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 60)), max_size=20),
    st.lists(
        st.tuples(st.sampled_from("abcd"), st.integers(0, 60), st.booleans()), max_size=4, unique_by=lambda o: o[0]
    ),
    st.integers(0, 90),
    st.integers(0, 90),
)
def test_a_status_only_ever_settles(asked: list[tuple[str, int]], known: list[Outcome], one: int, other: int) -> None:
    """Joining later keeps every row, and only what was pending may change: a label stays, and so does its absence."""
    before, after = (
        join_labels(LABEL, predictions(asked), outcomes(known), as_of * HOUR) for as_of in sorted((one, other))
    )
    assert before["key"].to_pylist() == after["key"].to_pylist() == [key for key, _ in asked]
    for then, now in zip(before.to_pylist(), after.to_pylist(), strict=True):
        assert then["status"] == PENDING or then == now
        assert (now["label"] is not None) == (now["status"] == LABELLED)


def test_coverage_is_of_what_is_settled() -> None:
    """A window that is open neither helps nor hurts, its early label no more than its silence."""
    asked = predictions([("a", 0), ("b", 0), ("c", 47), ("d", 47)])
    joined = join_labels(LABEL, asked, outcomes([("a", 5, True), ("c", 48, True)]), 48 * HOUR)
    assert joined["status"].to_pylist() == [LABELLED, UNLABELLED, LABELLED, PENDING]
    assert coverage(LABEL, joined, 48 * HOUR) == 1 / 2
    assert coverage(LABEL, joined.slice(2), 48 * HOUR) is None


def test_a_correction_after_the_window_changes_nothing() -> None:
    """The version known within the window counts, whatever is said later; within the window the last one counts."""
    versions = outcomes([("a", 5, True), ("a", 7, False), ("a", 30, True)])
    found = join_labels(LABEL, predictions([("a", 0)]), versions, 48 * HOUR).to_pylist()[0]
    assert (found["status"], found["label"], found["label_known_at"]) == (LABELLED, False, 7 * HOUR)


def test_a_retraction_within_the_window_takes_the_label_back() -> None:
    """An outcome whose last version in time says nothing is no label."""
    versions = outcomes([("a", 5, True), ("a", 7, None)])
    assert join_labels(LABEL, predictions([("a", 0)]), versions, 48 * HOUR).to_pylist()[0]["status"] == UNLABELLED


@pytest.mark.parametrize(
    ("asked", "lead", "outcome", "status"),
    [
        (0, 48, ("a", 60, True), LABELLED),
        (0, 48, ("a", 1, True), LABELLED),
        (0, 48, ("a", 73, True), UNLABELLED),
        (10, -5, ("a", 11, True), LABELLED),
        (10, -5, ("a", 30, True), UNLABELLED),
        (10, 0, ("a", 10, True), ASKED_LATE),
        (10, -5, ("a", 7, True), ASKED_LATE),
        (40, -30, ("b", 1, True), ASKED_LATE),
    ],
    ids=[
        "two days ahead", "before the event", "two days ahead, too late", "after the event",
        "after the event, too late", "known at that moment", "known before", "the window was over",
    ],
)  # fmt: skip
def test_the_window_begins_at_the_event_and_the_outcome_comes_after_the_asking(
    asked: int, lead: int, outcome: Outcome, status: str
) -> None:
    """The moment of asking moves no window; an answer that was known when it was asked for judges nothing."""
    found = join_labels(LABEL, predictions([("a", asked)], lead), outcomes([outcome]), 100 * HOUR).to_pylist()[0]
    assert (found["status"], found["label"]) == (status, True if status == LABELLED else None)


def test_a_correction_after_the_asking_makes_no_late_asking_good() -> None:
    """What was known when it was asked stays so, whatever is said afterwards."""
    versions = outcomes([("a", 5, True), ("a", 12, False)])
    assert join_labels(LABEL, predictions([("a", 10)]), versions, 48 * HOUR).to_pylist()[0]["status"] == ASKED_LATE


@pytest.mark.parametrize(
    ("as_of", "known", "expected"),
    [
        (23, [], (PENDING, None, None)),
        (24, [], (LABELLED, False, 24)),
        (24, [("a", 5, True)], (LABELLED, True, 5)),
        (48, [("a", 30, True)], (LABELLED, False, 24)),
        (48, [("a", 5, True), ("a", 6, None)], (LABELLED, False, 24)),
    ],
    ids=["open", "over", "an outcome", "an outcome too late", "an outcome taken back"],
)
def test_silence_is_a_label_where_the_definition_says_so(
    as_of: int, known: list[Outcome], expected: tuple[str, bool | None, int | None]
) -> None:
    """With ``otherwise`` the label of silence is known when the whole window has passed, and never sooner."""
    found = join_labels(SILENCE_IS_NO, predictions([("a", 0)]), outcomes(known), as_of * HOUR).to_pylist()[0]
    status, label, known_at = expected
    assert (found["status"], found["label"]) == (status, label)
    assert found["label_known_at"] == (None if known_at is None else known_at * HOUR)


def test_silence_labels_nothing_that_was_asked_after_its_window() -> None:
    """When the window was over before the asking, its silence was known: such a row judges nothing."""
    found = join_labels(SILENCE_IS_NO, predictions([("a", 40)], -30), outcomes([]), 100 * HOUR)
    assert found["status"].to_pylist() == [ASKED_LATE]
