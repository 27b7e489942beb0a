"""The numbers of a day that drift is watched by, from counts: the day's beside those of the reference."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from smallbox.arrays import Floats
from smallbox.statistics.day_streams import DayValue

_HEAVIEST: Final = 5
_HEAVY_SHARE: Final = 0.02
_UNKNOWN: Final = DayValue(math.nan, math.nan)


def numeric_numbers(
    reference: Sequence[int], counts: Sequence[int], missing: int, outside: int | None = None
) -> dict[str, DayValue]:
    """Location, spread, and the shares that are missing and outside, of a day of a numeric column.

    A value scores the mean rank of its bin in the reference, from 0 to 1. ``location`` is the mean score (Wilcoxon's
    statistic), ``spread`` the mean of ``abs(score - 1/2)`` (as Ansari and Bradley's). Shares are transformed by
    :func:`share_number`.

    Args:
        reference: the reference's counts by bin.
        counts: the day's, same bins.
        missing: the day's missing values.
        outside: the day's values beyond the lowest and highest of the reference, which are in ``counts`` too; ``None``
            when they were not counted.

    >>> found = numeric_numbers([50, 50], [30, 10], missing=0)
    >>> found["location"].value, found["spread"].value, sorted(found)
    (0.375, 0.25, ['location', 'missing', 'spread'])
    """
    scores, seen = bin_scores(reference), np.array(counts, float)
    rows = int(seen.sum())
    shares = {"missing": share_number(missing, rows + missing)}
    if outside is not None:
        shares["outside"] = share_number(outside, rows)
    return {"location": _mean(scores, seen), "spread": _mean(np.abs(scores - 0.5), seen), **shares}


def category_numbers(
    reference: Mapping[str, int], counts: Mapping[str, int], unseen: int, missing: int
) -> dict[str, DayValue]:
    """The shares of a day of a text column: each heavy category, all light ones together, unseen and missing ones.

    The five heaviest categories of the reference with a share of 2 % at least have a stream each, so that an alarm
    names the category. All shares are transformed by :func:`share_number`.

    Args:
        reference: the reference's counts by category; ``""`` holds those that have no count of their own.
        counts: the day's, likewise.
        unseen: the day's values that the reference does not have.
        missing: the day's missing values.

    >>> sorted(category_numbers({"a": 90, "b": 9, "c": 1}, {"a": 5, "c": 1}, unseen=0, missing=2))
    ['category a', 'category b', 'light categories', 'missing', 'unseen']
    """
    heavy, rows = _heaviest(reference), sum(counts.values()) + unseen
    found = {f"category {name}": share_number(counts.get(name, 0), rows) for name in heavy}
    if len(reference) > len(heavy):
        light = sum(count for name, count in counts.items() if name not in heavy)
        found["light categories"] = share_number(light, rows)
    return found | {"unseen": share_number(unseen, rows), "missing": share_number(missing, rows + missing)}


def bin_scores(reference: Sequence[int]) -> Floats:
    """The mean rank of each bin in the reference, from 0 to 1: the share below it plus half of its own.

    >>> bin_scores([1, 2, 1]).tolist()
    [0.125, 0.5, 0.875]
    """
    counts = np.array(reference, float)
    scores: Floats = (np.cumsum(counts) - counts / 2) / max(float(counts.sum()), 1.0)
    return scores


def share_number(count: int, rows: int) -> DayValue:
    """A share on the scale of the arcsine of its root, on which chance moves all shares alike.

    With Anscombe's correction for small counts (Biometrika 35, 1948).

    >>> round(share_number(50, 100).value * 4 / math.pi, 6), share_number(0, 0).value
    (1.0, nan)
    """
    if not rows:
        return _UNKNOWN
    return DayValue(math.asin(math.sqrt((count + 0.375) / (rows + 0.75))), 1 / (4 * rows + 2))


def mean_number(values: Floats) -> DayValue:
    """The mean of rows.

    >>> mean_number(np.array([1.0, 3.0]))
    DayValue(value=2.0, variance=0.5)
    """
    if not len(values):
        return _UNKNOWN
    return DayValue(float(values.mean()), float(values.var()) / len(values))


def _mean(scores: Floats, counts: Floats) -> DayValue:
    """The mean score of rows counted by bin, with its sampling variance."""
    rows = float(counts.sum())
    if not rows:
        return _UNKNOWN
    mean = float(scores @ counts) / rows
    return DayValue(mean, max(float((scores * scores) @ counts) / rows - mean * mean, 0.0) / rows)


def _heaviest(reference: Mapping[str, int]) -> list[str]:
    limit = _HEAVY_SHARE * sum(reference.values())
    heavy = [name for name, count in reference.items() if name and count >= limit]
    return sorted(heavy, key=lambda name: (-reference[name], name))[:_HEAVIEST]
