"""Exact Shapley values of trees, by quadrature over leaves.

A leaf with the value ``v`` is reached when a row passes the slots of all features ``F`` on its path. With ``o`` 1 for a
passed slot and ``r`` the chance to pass it unknown, the game of the features in ``S`` is ``v`` times the product of
``o`` over ``S`` and of ``r`` over the others, and its Shapley values are::

    phi_i = v (o_i - r_i) * integral from 0 to 1 over the product of t o_j + (1 - t) r_j, j != i

The integrand is a polynomial of degree ``|F| - 1``, so a Gauss-Legendre quadrature with ``ceil(|F| / 2)`` points is
exact. This is what TreeSHAP computes (Lundberg et al., Nature Machine Intelligence 2, 2020), with features as the
players where a feature was prepared into several columns.
"""

from functools import lru_cache

import numpy as np

from smallbox.arrays import Bools, Floats, Floats32
from smallbox.explanations.tree_paths import Paths, SameLength

_ELEMENTS = 4_000_000
"""Numbers that are computed with at once, which bounds the memory."""


@lru_cache(maxsize=64)
def _points(features: int) -> tuple[Floats, Floats]:
    """Points and weights on 0 to 1 that are exact for a path of so many features."""
    points, weights = np.polynomial.legendre.leggauss((features + 1) // 2)
    return (points + 1) / 2, weights / 2


def tree_base(paths: Paths) -> Floats:
    """What the trees add to each output when no feature is known, ``(o,)``."""
    weights = paths.nodes.weights
    known = [one.background.prod(axis=0) @ weights[one.leaves] for one in paths.lengths]
    found: Floats = np.sum([weights[paths.single].sum(axis=0), *known], axis=0)
    return found


def tree_contributions(paths: Paths, prepared: Floats32, features: int) -> Floats:
    """The Shapley values of ``n`` rows, ``(n, features, o)``."""
    largest = max((one.background.size * ((len(one.background) + 1) // 2) for one in paths.lengths), default=1)
    step = max(1, _ELEMENTS // max(largest, len(paths.node)))
    parts = [_of_rows(paths, prepared[at : at + step], features) for at in range(0, len(prepared), step)]
    return np.concatenate([np.zeros((0, features, paths.nodes.weights.shape[1])), *parts])


def _of_rows(paths: Paths, prepared: Floats32, features: int) -> Floats:
    passed, weights = paths.passed(prepared), paths.nodes.weights
    rows, outputs = len(prepared), weights.shape[1]
    at = paths.features + features * np.arange(rows)[:, None]
    found = np.zeros((rows * features, outputs))
    for one in paths.lengths:
        shares = _shares(one, passed[:, one.slots].reshape(rows, *one.background.shape))
        where = at[:, one.slots].ravel()
        for output in range(outputs):
            values = (shares * weights[one.leaves, output]).ravel()
            found[:, output] += np.bincount(where, values, minlength=len(found))
    return found.reshape(rows, features, outputs)


def _shares(one: SameLength, passed: Bools) -> Floats:
    """The Shapley values of leaves with the value 1, ``(n, d, l)``."""
    points, weights = _points(len(one.background))
    found = np.zeros(passed.shape)
    for point, weight in zip(points, weights, strict=True):
        factors = (1 - point) * one.background + point * passed
        found += weight * factors.prod(axis=1, keepdims=True) / factors
    found *= passed - one.background
    return found
