"""Proves what the fixed permutations are exact for, and that they always are the same."""

import numpy as np
import pytest

from smallbox.arrays import Floats, Objects
from smallbox.explanations.permutations import permutations_of, sampled_contributions
from tests.fakes.explained import shapley

RANDOM = np.random.default_rng(0)
NO_TEXTS: Objects = np.empty((1, 0), object)


def _pairs(numeric: Floats, _texts: Objects) -> Floats:
    """Effects of single features and of pairs."""
    found: Floats = np.column_stack(
        [numeric @ np.arange(numeric.shape[1]) + numeric[:, 0] * numeric[:, -1], numeric[:, 1] ** 2]
    )
    return found


def _of_three(numeric: Floats, texts: Objects) -> Floats:
    found: Floats = (numeric.prod(axis=1) * (1 + (texts == "b").sum(axis=1)))[:, None]
    return found


def _definition(outputs: object, row: Floats, texts: Objects, baseline: tuple[Floats, Objects]) -> Floats:
    def game(known: frozenset[int]) -> Floats:
        own = np.array([one in known for one in range(len(row) + len(texts))])
        numeric = np.where(own[: len(row)], row, baseline[0])[None, :]
        words = np.where(own[len(row) :], texts, baseline[1]).astype(object)[None, :]
        found: Floats = outputs(numeric, words)[0]  # type: ignore[operator]
        return found

    return shapley(game, len(row) + len(texts))


def test_single_effects_and_pairs_are_exact() -> None:
    """With seven features sixteen permutations are taken of 5,040, and pairs still have their Shapley values."""
    row, baseline = RANDOM.normal(size=(1, 7)), RANDOM.normal(size=7)
    found = sampled_contributions(_pairs, row, NO_TEXTS, (baseline, NO_TEXTS[0]))
    expected = _definition(_pairs, row[0], NO_TEXTS[0], (baseline, NO_TEXTS[0]))
    np.testing.assert_allclose(found[0], expected, atol=1e-12)


def test_few_features_are_exact_whatever_the_model() -> None:
    """Up to four features every permutation is taken: a product of all of them has its Shapley values."""
    row, texts = RANDOM.normal(size=(2, 3)), np.array([["b"], ["a"]], object)
    baseline = (RANDOM.normal(size=3), np.array(["a"], object))
    found = sampled_contributions(_of_three, row, texts, baseline)
    for at in range(2):
        np.testing.assert_allclose(found[at], _definition(_of_three, row[at], texts[at], baseline), atol=1e-12)


@pytest.mark.parametrize("features", [1, 4, 5, 30])
def test_permutations_are_fixed_and_come_with_their_reverse(features: int) -> None:
    """The same question has the same answer in every process."""
    found = permutations_of(features).tolist()
    permutations_of.cache_clear()
    assert permutations_of(features).tolist() == found
    assert sorted(one[::-1] for one in found) == sorted(found)
    assert all(sorted(one) == list(range(features)) for one in found)
    assert len({tuple(one) for one in found}) == len(found)
