"""Evidence that one of two arms meets trouble more often than a limit allows: e-processes, valid at every look."""

import math
from typing import Final

from smallbox.arrays import Floats, np

_RATES: Final = (0.001, 0.01, 0.05, 0.2, 0.5)
_EXCESSES: Final = (0.02, 0.1, 0.3, 0.8)
_HIGHEST: Final = 0.99
_LOWEST: Final = 1e-6
_HALVINGS: Final = 25
_MANY_CLUSTERS: Final = 16


def two_rates_evidence(trouble: Floats, asked: Floats, margin: float) -> Floats:
    """The log e-process against "in each block the second arm's rate is at most the first arm's plus the margin".

    The rates may differ from block to block, so trouble that both arms meet in the same minutes is no evidence. For an
    alternative ``(q0, q1)`` the e-value of a block is the likelihood ratio against the nearest rates that the margin
    allows, ``argmin n0 KL(q0, p0) + n1 KL(q1, p0 + margin)`` (Turner and Grunwald, Exact anytime-valid confidence
    intervals for contingency tables and beyond, Statistics and Probability Letters 198, 2023; Turner, Ly, Grunwald,
    CSDA 2024). Its mean is at most 1 under the null: it is a product of functions linear in each request's rate, so
    at most a power of their mean, which is at most 1 where the divergence is smallest.
    A fixed mixture of alternatives and of the blocks from which trouble begins is multiplied up. It ever exceeds
    ``1 / error`` with a probability of at most ``error`` (Ville), for requests that are independent given the rates.

    Args:
        trouble: how many requests of each block met trouble; blocks x 2 (first arm, second arm).
        asked: how many were asked; blocks x 2. Neither need be whole: clustered ones are divided by their
            :func:`overdispersion`.
        margin: by how much the second rate may lie above the first.

    Returns:
        The logarithm of the evidence after each block.
    """
    if not trouble[:, 1].any():
        return np.full(len(asked), -math.inf)  # there is a little less than none, and nobody needs it
    pairs = np.array([(q, q + margin + more) for q in _RATES for more in _EXCESSES if q + margin + more <= _HIGHEST])
    nearest = _nearest(pairs, asked, margin)
    ratios = _log_ratio(trouble[:, None], asked[:, None], pairs[None], nearest).sum(axis=2)
    return _mixed(ratios)


def one_rate_evidence(trouble: Floats, asked: Floats, limit: float) -> Floats:
    """The log e-process against "the rate is at most the limit" after each block; see :func:`two_rates_evidence`."""
    if not len(asked):
        return np.zeros(0)
    limit = max(limit, _LOWEST)
    rates = np.array([limit + more for more in _EXCESSES if limit + more <= _HIGHEST])[None]
    return _mixed(_log_ratio(trouble[:, None], asked[:, None], rates, np.full_like(rates, limit)))


def overdispersion(trouble: Floats, asked: Floats) -> float:
    """By how much clustered requests count less than independent ones; at least 1.

    The variance between clusters over the binomial one (McCullagh and Nelder, 1989). While few clusters met trouble
    that variance is not known; then it is at least their mean size (Kish, 1965), so each cluster counts about once.

    Args:
        trouble: how many requests of each cluster met trouble.
        asked: how many were asked.

    >>> import numpy as np
    >>> bool(overdispersion(np.array([30.0, 0, 0]), np.array([30.0, 30, 30])) >= 30)
    True
    """
    found, total = trouble.sum(), asked.sum()
    if found == 0:
        return 1.0
    rate, clusters, hit = found / total, np.count_nonzero(asked), np.count_nonzero(trouble)
    size = float((trouble**2).sum() / found) if hit < _MANY_CLUSTERS else 1.0
    spread = float(((trouble - rate * asked) ** 2).sum())
    expected = float(rate * (1 - rate) * total) * (1 - 1 / clusters)
    return max(1.0, size, spread / expected if expected > 0 else 1.0)


def _nearest(pairs: Floats, asked: Floats, margin: float) -> Floats:
    """For each block and alternative the rates that the margin allows and that are hardest to tell from it."""
    low = np.broadcast_to(pairs[:, 0], (len(asked), len(pairs))).copy()
    high = np.broadcast_to(pairs[:, 1] - margin, low.shape).copy()
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        slope = asked[:, :1] * _slope(pairs[:, 0], middle) + asked[:, 1:] * _slope(pairs[:, 1], middle + margin)
        low, high = np.where(slope < 0, middle, low), np.where(slope < 0, high, middle)
    return np.stack([low, low + margin], axis=2)


def _slope(alternative: Floats, rate: Floats) -> Floats:
    """The derivative of the divergence of a rate from an alternative."""
    slope: Floats = (rate - alternative) / (rate * (1 - rate))
    return slope


def _log_ratio(trouble: Floats, asked: Floats, alternative: Floats, null: Floats) -> Floats:
    none = asked - trouble
    ratio: Floats = trouble * np.log(alternative / null) + none * (np.log1p(-alternative) - np.log1p(-null))
    return ratio


def _mixed(ratios: Floats) -> Floats:
    """The mixture over alternatives, and over the block from which on each is multiplied up.

    The first block has half of the weight; block ``h`` has ``1 / (2 h (h + 1))``.
    """
    blocks = np.arange(1, len(ratios))
    starts = np.log(np.concatenate([[0.5], 0.5 / (blocks * (blocks + 1.0))]))
    reached = np.cumsum(ratios, axis=0)
    started = np.logaddexp.accumulate(starts[:, None] - (reached - ratios), axis=0) + reached
    waiting = np.log(0.5 / np.arange(1, len(ratios) + 1))
    both = np.logaddexp(started, waiting[:, None])
    mixed: Floats = np.logaddexp.reduce(both, axis=1) - math.log(ratios.shape[1])
    return mixed
