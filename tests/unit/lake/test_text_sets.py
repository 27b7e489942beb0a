"""Proves the sets of texts: the same text is found in whatever column it stands."""

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from smallbox.lake.text_sets import TextSet, text_hashes

TEXTS = st.lists(st.text(max_size=20), max_size=12)


@given(TEXTS)
def test_a_hash_does_not_depend_on_the_texts_beside_it(texts: list[str]) -> None:
    """Each text has the hash that it has alone, also in a slice of a column."""
    column = pa.array(["before", *texts], pa.string())[1:]
    alone = [int(text_hashes(pa.array([text], pa.string()))[0]) for text in texts]
    assert text_hashes(column).tolist() == alone


@given(TEXTS, st.lists(st.none() | st.text(max_size=20), max_size=12))
def test_a_set_holds_its_texts_and_no_others(texts: list[str], asked: list[str | None]) -> None:
    """What is asked for is found where it is one of the texts; nothing is never one."""
    column = pa.array([*asked, *texts], pa.string())
    held = TextSet(pa.array(texts, pa.string())).holds(column).to_pylist()
    assert held == [text in texts for text in asked] + [True] * len(texts)


def test_texts_that_share_a_mark_are_told_apart() -> None:
    """Of a million texts that are not in the set, thousands share a mark with one that is; none is found."""
    wanted = TextSet(pa.array([f"in {n}" for n in range(100_000)]))
    others = pa.array([f"out {n}" for n in range(1_000_000)])
    assert not any(wanted.holds(others).to_pylist())
