"""Evidence that one of two arms meets trouble more often than a limit allows: e-processes, valid at every look."""

import math
from typing import Final

from smallbox.arrays import Floats, np

_RATES: Final = (0.001, 0.01, 0.05, 0.2, 0.5)
_EXCESSES: Final = (0.02, 0.1, 0.3, 0.8)
_HIGHEST: Final = 0.99
_LOWEST: Final = 1e-6
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
    share, block = np.unique(asked[:, 1] / asked.sum(axis=1), return_inverse=True)
    hit, miss = _log_ratios(pairs, _nearest(pairs, share, margin))
    none = asked - trouble
    ratios = np.zeros((len(asked), len(pairs)))
    for arm in (0, 1):
        ratios += trouble[:, arm, None] * hit[block, :, arm] + none[:, arm, None] * miss[block, :, arm]
    return _mixed(ratios)


def one_rate_evidence(trouble: Floats, asked: Floats, limit: float) -> Floats:
    """The log e-process against "the rate is at most the limit" after each block; see :func:`two_rates_evidence`."""
    if not len(asked):
        return np.zeros(0)
    limit = max(limit, _LOWEST)
    rates = np.array([limit + more for more in _EXCESSES if limit + more <= _HIGHEST])[None]
    hit, miss = _log_ratios(rates, np.full_like(rates, limit))
    return _mixed(trouble[:, None] * hit + (asked - trouble)[:, None] * miss)


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


def _nearest(pairs: Floats, share: Floats, margin: float) -> Floats:
    """For each share of the second arm and each alternative the rates that the margin allows, hardest to tell from it.

    Where the divergence is smallest its derivative is 0, a cubic equation of the first rate. One of its roots is below
    the rates that lie between, one is above, so the middle one is meant (Viete's formula for three real roots).
    """
    second, first = share[:, None], 1 - share[:, None]
    q0, q1, room = pairs[:, 0], pairs[:, 1] - margin, margin * (1 - margin)
    b = -(first * (1 - 2 * margin + q0) + second * (1 + q1))
    c = second * q1 - first * (room - q0 * (1 - 2 * margin))
    d = first * q0 * room
    slope, height = c - b * b / 3, b * (2 * b * b - 9 * c) / 27 + d
    radius = np.sqrt(-slope / 3)
    angle = np.arccos(np.clip(-height / (2 * radius**3), -1, 1))
    rate = np.clip(2 * radius * np.cos((angle - 2 * np.pi) / 3) - b / 3, q0, q1)
    return np.stack([rate, rate + margin], axis=2)


def _log_ratios(alternative: Floats, null: Floats) -> tuple[Floats, Floats]:
    """What a request with trouble, and one without, adds to the logarithm of the likelihood ratio."""
    return np.log(alternative / null), np.log1p(-alternative) - np.log1p(-null)


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
    most = both.max(axis=1, initial=-math.inf)
    mixed: Floats = most + np.log(np.exp(both - most[:, None]).mean(axis=1))
    return mixed
