"""Simulated days for ``drift.py``, and the rules of others: counts of rows by bin, exactly as if rows had been drawn.

Rows of one day are independent given the day, so their counts are multinomial: 50,000 rows cost as much as 100.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Final, Literal

import numpy as np

from smallbox.arrays import Bools, Floats, Ints
from smallbox.monitoring.stream_weights import stream_weights
from smallbox.statistics.day_streams import DayStreams

BINS: Final = 64
EDGES: Final = np.array([NormalDist().inv_cdf(i / BINS) for i in range(1, BINS)])
YEAR: Final = 365
SCORES: Final = (np.arange(BINS) + 0.5) / BINS
SHARES: Final = np.array([0.4, 0.25, 0.15, 0.1, 0.06, 0.04])
MISSING: Final = 0.01
LATE: Final = 0.2
DAY_SD: Final = 0.05
"""How far the mean of a column moves from day to day, in standard deviations of its rows."""

Setting = Literal["iid", "AR(1)", "weekday", "shared AR(1)", "rows jump", "trend", "one trend", "season"]
_GRID: Final = np.linspace(-9, 9, 18001)
_CDF: Final = np.array([NormalDist().cdf(z) for z in _GRID])


@dataclass(frozen=True)
class Change:
    """What changes in the first column of its kind from a day on."""

    name: str = "none"
    day: int = 10**9
    mean: float = 0.0
    scale: float = 1.0
    category: float = 0.0
    missing: float = 0.0
    correlation: float = 1.0
    prior: float = 0.0
    loss: float = 0.0
    lasts: int = 10**9

    def on(self, days: int) -> Floats:
        """1 on the days of the change, 0 on others."""
        at = np.arange(days)
        return ((at >= self.day) & (at < self.day + self.lasts)).astype(float)


@dataclass
class Days:
    """Counts of simulated days: by day, column and bin; missing values; extra streams by name."""

    rows: Floats
    numeric: Floats
    missing: Floats
    categories: Floats
    extras: Mapping[str, tuple[Floats, Floats]] = field(default_factory=dict)


def simulate(
    rng: np.random.Generator, features: int, rows: int, days: int, setting: Setting, change: Change | None = None
) -> Days:
    """Days of 70 % numeric columns and 30 % text columns, with a label's rate, a loss and a pair of columns."""
    change = change or Change()
    on, texts = change.on(days), max(round(features * 0.3), 1)
    effects = day_effects(rng, features, days, setting)
    n = (
        np.maximum(rows * np.exp(rng.normal(0, 0.7, days)), 30).astype(int)
        if setting == "rows jump"
        else np.full(days, rows)
    )
    shift, scale = effects[:, texts:].copy(), np.ones((days, features - texts))
    shift[:, 0] += change.mean * on
    scale[:, 0] += (change.scale - 1) * on
    numeric = _binned(rng, n, shift, scale)
    missing = rng.binomial(n[:, None], MISSING + change.missing * on[:, None] * (np.arange(features - texts) == 0))
    shares = np.tile(SHARES, (days, texts, 1))
    moved = 0.4 * effects[:, :texts] * 0.5
    moved[:, 0] += change.category * on
    shares[:, :, 1] += moved
    shares[:, :, 0] -= moved
    categories = rng.multinomial(n[:, None], shares)
    return Days(n.astype(float), numeric, missing.astype(float), categories.astype(float), _extras(rng, n, on, change))


def _binned(rng: np.random.Generator, n: Ints, shift: Floats, scale: Floats) -> Floats:
    """How many of a day's normal values fall into each bin."""
    cdf = np.interp((EDGES - shift[:, :, None]) / scale[:, :, None], _GRID, _CDF)
    ends = np.concatenate([np.zeros((*cdf.shape[:2], 1)), cdf, np.ones((*cdf.shape[:2], 1))], axis=2)
    counts: Floats = rng.multinomial(n[:, None], np.maximum(np.diff(ends, axis=2), 0.0)).astype(float)
    return counts


def day_effects(rng: np.random.Generator, features: int, days: int, setting: Setting) -> Floats:
    """How far each column's mean lies from its long-run mean on each day, in standard deviations of its rows."""
    effects = np.zeros((days, features))
    if setting == "one trend":  # of the first numeric column
        effects[:, max(round(features * 0.3), 1)] = np.arange(days) * 0.3 / 365
    if setting in ("iid", "rows jump", "one trend"):
        return effects
    if setting == "weekday":
        effects += rng.normal(0, 0.1, (7, features))[np.arange(days) % 7]
        effects += rng.normal(0, DAY_SD, (days, features))
        return effects
    if setting == "trend":
        effects += np.arange(days)[:, None] * rng.choice([-1, 1], features) * 0.3 / 365
        return effects
    if setting == "season":
        effects += 4 * DAY_SD * np.sin(np.arange(days) / YEAR * 2 * math.pi)[:, None]
        return effects + rng.normal(0, DAY_SD, (days, features))
    noise = rng.normal(0, DAY_SD * math.sqrt(0.75), (days, 1 if setting == "shared AR(1)" else features))
    for day in range(1, days):
        effects[day] = 0.5 * effects[day - 1] + noise[day]
    return effects


def _extras(rng: np.random.Generator, n: Ints, on: Floats, change: Change) -> dict[str, tuple[Floats, Floats]]:
    """The rate of the labels, the mean loss, and the rank correlation .5 of a pair of columns."""
    late = rng.binomial(n, LATE + change.prior * on)
    loss = rng.normal(0.4 + change.loss * on, 0.5 / np.sqrt(n))
    pair = rng.normal(0.5 * (1 + (change.correlation - 1) * on), 1.0 / np.sqrt(n))
    return {
        "label:mean": (_root(late.astype(float), n.astype(float)), 1 / (4 * n + 2)),
        "loss:mean": (loss, 0.25 / n),
        "x0:correlation with x1": (pair, 1.0 / n),
    }


def _root(counts: Floats, rows: Floats) -> Floats:
    roots: Floats = np.arcsin(np.sqrt((counts + 0.375) / (rows + 0.75)))
    return roots


def streams(days: Days, share: float = 0.0) -> DayStreams:
    """The streams of the profiles' numbers, computed for all days at once, weighted as the daily check does.

    Args:
        days: the counts.
        share: of the importance of all inputs, that of the first number column; 0: all are alike.
    """
    n = days.rows[:, None]
    parts: list[tuple[str, Floats, Floats]] = []
    for name, scores in (("location", SCORES), ("spread", np.abs(SCORES - 0.5))):
        mean = days.numeric @ scores / n
        parts.append((name, mean, (days.numeric @ scores**2 / n - mean**2) / n))
    parts.append(("missing", _root(days.missing, n), np.broadcast_to(1 / (4 * n + 2), days.missing.shape)))
    names = [f"x{column}:{name}" for name, values, _ in parts for column in range(values.shape[1])]
    texts = days.categories.shape[1]
    for category in range(len(SHARES)):
        values = _root(days.categories[:, :, category], n)
        parts.append(("", values, np.broadcast_to(1 / (4 * n + 2), values.shape)))
        names += [f"text{column}:category {category}" for column in range(texts)]
    for name, (numbers, variances) in days.extras.items():
        parts.append(("", numbers[:, None], variances[:, None]))
        names.append(name)
    values, variances = (np.concatenate([part[at] for part in parts], axis=1) for at in (1, 2))
    inputs = dict.fromkeys([*(f"x{n}" for n in range(days.missing.shape[1])), *(f"text{n}" for n in range(texts))], 1.0)
    if share:
        inputs["x0"] = share / (1 - share) * (len(inputs) - 1)
    return DayStreams(range(len(days.rows)), names, values, variances, stream_weights(names, inputs))


REFERENCE: Final = 56
"""Days of the reference of the rules of others."""


def others(days: Days, columns: int) -> dict[str, Bools]:
    """By rule the days on which it rings; each day is compared with the first 56 together."""
    n = days.rows[:, None]
    m = float(days.rows[:REFERENCE].sum())
    ks = np.abs(np.cumsum(days.numeric, axis=2) / n[..., None] - _reference(np.cumsum(days.numeric, axis=2), m)).max(
        axis=2
    )
    chi = _chi_square(days.categories, _reference(days.categories, m), m)
    psi = np.concatenate([_psi(_tenths(days.numeric)), _psi(days.categories)], axis=1)
    js = np.concatenate([_js(_tenths(days.numeric)), _js(days.categories)], axis=1)
    moved = np.concatenate([_wasserstein(days.numeric, m) > 0.1, _js(days.categories) > 0.1], axis=1)
    limit = js[:REFERENCE].mean(axis=0) + 3 * js[:REFERENCE].std(axis=0, ddof=1)

    def tests(level: float) -> Bools:
        cut = math.sqrt(-math.log(level / 2) / 2) * np.sqrt(1 / n + 1 / m)
        is_found: Bools = np.any(np.concatenate([ks > cut, chi > _chi_limit(level)], axis=1), axis=1, keepdims=False)
        return is_found

    return {
        "PSI > 0.2": (psi > 0.2).any(axis=1),
        "KS and chi-square, .05": tests(0.05),
        "the same, Bonferroni over columns": tests(0.05 / columns),
        "the same, Bonferroni over columns and 90 days": tests(1 / 90 / columns),
        "Evidently, any column": moved.any(axis=1),
        "Evidently's preset, half of the columns": moved.mean(axis=1) >= 0.5,
        "NannyML, any column": (js > limit).any(axis=1),
    }


def _reference(counts: Floats, rows: float) -> Floats:
    shares: Floats = counts[:REFERENCE].sum(axis=0) / rows
    return shares


def _tenths(counts: Floats) -> Floats:
    """64 bins as about ten."""
    starts = (np.arange(10) * BINS / 10).round().astype(int)
    tenths: Floats = np.add.reduceat(counts, starts, axis=2)
    return tenths


def _psi(counts: Floats) -> Floats:
    q = (counts + 0.5) / (counts + 0.5).sum(axis=2, keepdims=True)
    p = counts[:REFERENCE].sum(axis=0) + 0.5
    p = p / p.sum(axis=1, keepdims=True)
    index: Floats = ((q - p) * np.log(q / p)).sum(axis=2)
    return index


def _js(counts: Floats) -> Floats:
    """The square root of the Jensen-Shannon divergence, base 2."""
    q = counts / counts.sum(axis=2, keepdims=True)
    p = counts[:REFERENCE].sum(axis=0)
    p = np.broadcast_to(p / p.sum(axis=1, keepdims=True), q.shape)
    middle = (p + q) / 2

    def part(one: Floats) -> Floats:
        entropy: Floats = (one * np.log2(np.maximum(one, 1e-300) / np.maximum(middle, 1e-300))).sum(axis=2)
        return entropy

    distance: Floats = np.sqrt(np.maximum((part(p) + part(q)) / 2, 0))
    return distance


def _wasserstein(counts: Floats, rows: float) -> Floats:
    """The distance of the binned distributions, in standard deviations of the reference (which is 1)."""
    cdf = np.cumsum(counts, axis=2)
    gap = np.abs(cdf / cdf[:, :, -1:] - _reference(cdf, rows))[:, :, :-1]
    middles = np.concatenate([[-2.8], (EDGES[1:] + EDGES[:-1]) / 2, [2.8]])
    distance: Floats = gap @ np.diff(middles)
    return distance


def _chi_square(counts: Floats, shares: Floats, rows: float) -> Floats:
    n = counts.sum(axis=2, keepdims=True)
    pooled = (counts + shares * rows) / (n + rows)
    expected, other = pooled * n, pooled * rows
    found: Floats = ((counts - expected) ** 2 / expected + (shares * rows - other) ** 2 / other).sum(axis=2)
    return found


def _chi_limit(level: float) -> float:
    """The quantile by Wilson and Hilferty."""
    degrees = len(SHARES) - 1
    spread = 2 / (9 * degrees)
    return degrees * (1 - spread + NormalDist().inv_cdf(1 - level) * math.sqrt(spread)) ** 3
