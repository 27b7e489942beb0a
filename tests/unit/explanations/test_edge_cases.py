"""Proves which rows count as out of range, unseen and far from the training rows."""

from typing import Final

import numpy as np
import pytest

from smallbox.arrays import Floats32
from smallbox.explanations import edge_cases
from smallbox.explanations.edge_cases import FAR_SHARE, familiar

ROWS: Final = 20_000


def _numbers(seed: int, rows: int = ROWS) -> Floats32:
    """A number with long tails, one that nearly follows it, one that repeats, and one that is always missing."""
    random = np.random.default_rng(seed)
    first = random.normal(size=rows)
    second = first + 0.1 * random.normal(size=rows)
    found = np.column_stack([np.exp(3 * first), second, random.integers(3, size=rows), np.full(rows, np.nan)])
    found[::10, 1] = np.nan
    return found.astype(np.float32)


TEXTS: Final = np.array([["north", "a"], ["south", ""]] * (ROWS // 2), object)
KNOWN: Final = familiar(_numbers(0), TEXTS)


def test_a_number_is_out_of_range_beyond_the_training_rows() -> None:
    """The least and the greatest value are in range, a float32 beyond is not; a missing one is, and one never known."""
    lowest, highest = KNOWN.lowest[1], KNOWN.highest[1]
    beyond = np.nextafter(highest, np.float32(np.inf))
    asked = np.array([[1, lowest, 0, 5], [1, highest, 2, np.nan], [1, beyond, 3, 5], [-1, np.nan, 1, 5]])
    assert KNOWN.out_of_range(asked).tolist() == [
        [False] * 4,
        [False] * 4,
        [False, True, True, False],
        [True, *[False] * 3],
    ]


def test_a_text_is_unseen_when_no_training_row_had_it() -> None:
    """A missing text is not unseen, whether or not training rows missed it."""
    asked = np.array([["north", "a"], ["east", "b"], ["", ""]], object)
    assert KNOWN.unseen(asked).tolist() == [[False, False], [True, True], [False, False]]


def test_a_text_of_too_many_categories_is_not_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file beside the model stays small; nothing is then said of that text."""
    monkeypatch.setattr(edge_cases, "MOST_CATEGORIES", 1)
    known = familiar(_numbers(0), TEXTS)
    assert known.categories == [None, ["a"]]
    assert known.unseen(np.array([["east", "b"]], object)).tolist() == [[False, True]]


def test_ordinary_values_that_do_not_go_together_are_far() -> None:
    """Each number is common, but the second follows the first; missing ones make no row far."""
    together, apart = [np.exp(3), 1.0, 1, np.nan], [np.exp(3), -1.0, 1, np.nan]
    asked = np.array([together, apart, [np.nan] * 4])
    assert not KNOWN.out_of_range(asked).any()
    assert KNOWN.is_far(asked).tolist() == [False, True, False]


def test_about_one_row_in_a_thousand_like_those_of_training_is_far() -> None:
    """The limit holds for rows that it was not computed from."""
    share = KNOWN.is_far(_numbers(1, 200_000)).mean()
    assert FAR_SHARE / 2 < share < FAR_SHARE * 2


def test_a_model_without_numbers_or_texts_has_its_flags() -> None:
    """Nothing is far where there is no number, and nothing unseen where there is no text."""
    only_texts, only_numbers = familiar(np.empty((ROWS, 0), np.float32), TEXTS), familiar(_numbers(0), TEXTS[:, :0])
    assert not only_texts.is_far(np.empty((2, 0))).any()
    assert only_numbers.unseen(np.empty((2, 0), object)).shape == (2, 0)
