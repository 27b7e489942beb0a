"""The numbers of a day's profile that a change is found in, for every column."""

from collections.abc import Mapping
from typing import Any

from smallbox.statistics.day_streams import DayValue
from smallbox.statistics.profile_numbers import category_numbers, numeric_numbers


def day_numbers(seen: Mapping[str, Any], reference: Mapping[str, Any]) -> dict[str, DayValue]:
    """One number for each stream of each column, named ``<column>:<what>``.

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
    if "categories" not in seen:
        return numeric_numbers(reference["counts"], seen["counts"], seen["missing"])
    usual, found = (dict(zip([*seen["categories"], ""], one["counts"], strict=True)) for one in (reference, seen))
    return category_numbers(usual, found, unseen=0, missing=seen["missing"])
