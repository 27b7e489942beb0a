"""Shapley values of any model against a baseline row, from a fixed set of permutations of its features.

A permutation replaces the baseline's values by the row's, feature by feature; what the output changes by is that
feature's. Every permutation comes with its reverse (Mitchell et al., Journal of Machine Learning Research 23, 2022), so
effects of single features and of pairs are exact. Up to four features, all permutations are taken.
"""

import hashlib
import itertools
from collections.abc import Callable
from functools import lru_cache
from typing import Final

import numpy as np

from smallbox.arrays import Floats, Ints, Objects

Outputs = Callable[[Floats, Objects], Floats]
"""The outputs ``(n, o)`` of rows of the two input matrices, on the scale of the explanation."""

_PAIRS: Final = 8
_FEW: Final = 4
_ROWS: Final = 4_000
"""Rows that a model scores at once, which bounds the memory."""


def is_complete(features: int) -> bool:
    """Whether all permutations are taken."""
    return features <= _FEW


@lru_cache(maxsize=64)
def permutations_of(features: int) -> Ints:
    """The permutations, ``(p, features)``; always the same ones for as many features."""
    if is_complete(features):
        return np.array([*itertools.permutations(range(features))], np.int64).reshape(-1, features)
    drawn = np.array([_drawn(number, features) for number in range(_PAIRS)])
    return np.concatenate([drawn, drawn[:, ::-1]])


def _drawn(number: int, features: int) -> list[int]:
    """A fixed order that looks random: by a digest of the number of the permutation and the feature."""
    return sorted(range(features), key=lambda feature: hashlib.sha256(f"{number}:{feature}".encode()).digest())


def sampled_contributions(
    outputs: Outputs, numeric: Floats, categorical: Objects, baseline: tuple[Floats, Objects]
) -> Floats:
    """The contributions of ``n`` rows, ``(n, k + m, o)``: those of the numbers, then those of the texts.

    Args:
        outputs: the model.
        numeric: ``(n, k)``.
        categorical: ``(n, m)``.
        baseline: ``(k,)`` and ``(m,)``.
    """
    return np.stack([_of_row(outputs, (n, c), baseline) for n, c in zip(numeric, categorical, strict=True)])


def _of_row(outputs: Outputs, row: tuple[Floats, Objects], baseline: tuple[Floats, Objects]) -> Floats:
    features = len(row[0]) + len(row[1])
    orders = permutations_of(features)
    step = max(1, _ROWS // (features + 1))
    total = sum(_changes(outputs, row, baseline, orders[at : at + step]) for at in range(0, len(orders), step))
    return np.asarray(total / len(orders))


def _changes(outputs: Outputs, row: tuple[Floats, Objects], baseline: tuple[Floats, Objects], orders: Ints) -> Floats:
    """The sum over permutations of what each feature changes, ``(features, o)``."""
    count, features = orders.shape
    place = np.argsort(orders, axis=1)
    # after s steps the features at the first s places are the row's
    is_own = (place[:, None, :] < np.arange(features + 1)[:, None]).reshape(-1, features)
    numbers = len(row[0])
    numeric = np.where(is_own[:, :numbers], row[0], baseline[0])
    categorical = np.where(is_own[:, numbers:], row[1], baseline[1]).astype(object)
    changes = np.diff(outputs(numeric, categorical).reshape(count, features + 1, -1), axis=1)
    found: Floats = np.take_along_axis(changes, place[:, :, None], axis=1).sum(axis=0)
    return found
