"""The numbers of a day's profile that a change is found in: where each column lies, how wide, and what is missing."""

from collections.abc import Mapping
from typing import Any, Final

from smallbox.arrays import Floats, np
from smallbox.statistics.day_streams import DayValue
from smallbox.statistics.day_values import counted_mean, share_value

CATEGORIES_FOLLOWED: Final = 8
"""Of a text column the shares of so many categories are followed one by one; the others as one share."""


def day_numbers(seen: Mapping[str, Any], reference: Mapping[str, Any]) -> dict[str, DayValue]:
    """One number for each stream of each column, named ``<column>:<what>``.

    Of a number ``location`` is the mean mid-rank of its values among those of the reference, 0 to 1 and 0.5 where
    nothing moved (Wilcoxon's statistic), and ``spread`` the mean distance of these ranks from 0.5. Of a text each
    frequent category has its share, and ``others`` is that of all the rest. ``missing`` is the share of missing values.
    Shares are arcsine square roots.

    Args:
        seen: the day's profile, in the bins of the reference.
        reference: the version's profile.
    """
    return {
        f"{name}:{what}": value
        for name, column in seen.items()
        for what, value in _column(column, reference[name]).items()
    }


def _column(seen: Mapping[str, Any], reference: Mapping[str, Any]) -> dict[str, DayValue]:
    counts = np.array(seen["counts"], float)
    rows = float(counts.sum()) + seen["missing"]
    found = {"missing": share_value(seen["missing"], rows)}
    if "categories" in seen:
        return found | _shares(seen["categories"], counts)
    ranks = _middle_ranks(np.array(reference["counts"], float))
    return found | {"location": counted_mean(counts, ranks), "spread": counted_mean(counts, np.abs(ranks - 0.5))}


def _shares(categories: list[str], counts: Floats) -> dict[str, DayValue]:
    rows = float(counts.sum())
    followed = categories[:CATEGORIES_FOLLOWED]
    shares = {f"is {name}": share_value(float(count), rows) for name, count in zip(followed, counts, strict=False)}
    return {**shares, "others": share_value(float(counts[len(followed) :].sum()), rows)}


def _middle_ranks(counts: Floats) -> Floats:
    """For each bin the share of the reference below it, plus half its own."""
    total = max(float(counts.sum()), 1.0)
    ranks: Floats = (counts.cumsum() - counts / 2) / total
    return ranks
