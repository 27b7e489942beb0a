"""Proves that sketches combine in any order to the same bits, and how near their estimates are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallbox.define.aggregates import Operand
from smallbox.features.windows.operand_columns import CodedTexts, hashes
from smallbox.features.windows.sketch import REGISTERS, Sketches, codes_of, estimate_distinct

STANDARD_ERROR = 1.04 / np.sqrt(REGISTERS)
values = st.lists(st.integers(0, 2000), max_size=60)


def sketched(numbers: list[int]) -> Sketches:
    """The sketch of some numbers."""
    _, bits = hashes(Operand("n"), {"n": np.array(numbers, dtype=np.float64)})
    return Sketches.of(np.zeros(len(numbers), np.int64), codes_of(bits), 1)


def merged(*sketches: Sketches) -> Sketches:
    """One sketch of all."""
    codes = np.concatenate([sketch.codes for sketch in sketches])
    return Sketches.of(np.zeros(len(codes), np.int64), codes, 1)


@given(values, values)
def test_order_repetition_and_grouping_change_nothing(some: list[int], others: list[int]) -> None:
    """Any split, order and repetition of the same values gives the same codes."""
    together = sketched(some + others)
    for parts in ((sketched(some), sketched(others)), (sketched(others[::-1]), sketched(some + some))):
        np.testing.assert_array_equal(merged(*parts).codes, together.codes)


@pytest.mark.parametrize("size", [1, 10, 100, 1_000, 10_000, 100_000])
def test_an_estimate_is_as_near_as_the_page_says(size: int) -> None:
    """Over a hundred sets of a size the errors spread by at most the standard error, and lean to neither side."""
    errors = []
    for number in range(100):
        rows = sketched(list(range(number * 10**6, number * 10**6 + size)))
        errors.append(float(estimate_distinct(rows)[0]) / size - 1)
    assert np.std(errors) < 1.25 * STANDARD_ERROR
    assert abs(np.mean(errors)) < 3 * STANDARD_ERROR / np.sqrt(len(errors))
    assert np.max(np.abs(errors)) < 4.5 * STANDARD_ERROR


def test_nothing_is_none() -> None:
    """No value at all is exactly 0, also beside cells that hold some."""
    both = sketched([1, 2, 3]).join(Sketches.empty(2))
    found = estimate_distinct(both)
    assert found[1:].tolist() == [0.0, 0.0]
    assert round(float(found[0])) == 3


def test_cells_keep_their_codes() -> None:
    """Taking cells, in order, in another order or as a run, gives each its own codes."""
    cells = [sketched([1]), sketched([2, 3, 4]), Sketches.empty(1), sketched([5, 6])]
    row = cells[0].join(cells[1]).join(cells[2]).join(cells[3])
    picked = row.take(np.array([3, 0, 1]))
    np.testing.assert_array_equal(picked.codes, np.concatenate([cells[at].codes for at in (3, 0, 1)]))
    np.testing.assert_array_equal(row.take(slice(1, 3)).codes, cells[1].codes)
    assert row.take(slice(4, 4)).codes.tolist() == []


def test_texts_and_numbers_are_spread_by_value() -> None:
    """A text counts by what it says wherever it stands, zero and negative zero are one number, null is none."""
    texts = CodedTexts(["b", "a"], np.array([1, 0, -1, 1]))
    at, bits = hashes(Operand("t"), {"t": texts})
    assert at.tolist() == [0, 1, 3]
    assert bits[0] == bits[2] != bits[1]
    _, zeros = hashes(Operand("n"), {"n": np.array([0.0, -0.0, np.nan])})
    assert len(zeros) == 2
    assert zeros[0] == zeros[1]
