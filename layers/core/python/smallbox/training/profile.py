"""The reference profile: histograms of inputs and outputs that drift is measured against."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypedDict

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.define.signature import Columns

PROFILE_BINS: Final = 10
MAX_CATEGORIES: Final = 50

_Column = npt.NDArray[Any]


class NumericProfile(TypedDict):
    """The histogram of a numeric column.

    Attributes:
        edges: inner edges of the bins, ascending; a bin includes its upper edge.
        counts: number of values by bin, one more than ``edges``.
        missing: number of missing values.
    """

    edges: list[float]
    counts: list[int]
    missing: int


class TextProfile(TypedDict):
    """The counts of a text column.

    Attributes:
        categories: the categories that are counted.
        counts: number of values by category; the last count is that of all other categories.
        missing: number of missing values.
    """

    categories: list[str]
    counts: list[int]
    missing: int


def numeric_profile(values: npt.NDArray[np.floating[Any]], edges: list[float] | None = None) -> NumericProfile:
    """The histogram of a numeric column, and its count of missing values.

    Args:
        values: the column; NaN means missing.
        edges: inner edges of the bins; by default deciles of the column, equal ones merged.

    >>> numeric_profile(np.array([1.0, 2.0, float("nan")]), edges=[1.5])
    {'edges': [1.5], 'counts': [1, 1], 'missing': 1}
    """
    known = values[~np.isnan(values)]
    if edges is None:
        inner = np.quantile(known, np.arange(1, PROFILE_BINS) / PROFILE_BINS) if len(known) else np.empty(0)
        edges = sorted({float(edge) for edge in inner})
    counts = np.bincount(np.searchsorted(np.array(edges), known, side="left"), minlength=len(edges) + 1)
    return {"edges": edges, "counts": [int(c) for c in counts], "missing": len(values) - len(known)}


def text_profile(values: _Column, categories: list[str] | None = None) -> TextProfile:
    """Counts of a text column by category, the last count that of all others; ``""`` means missing.

    >>> text_profile(np.array(["b", "a", "b", ""], dtype=object))
    {'categories': ['b', 'a'], 'counts': [2, 1, 0], 'missing': 1}
    """
    # by hashing, three times as fast as np.unique of texts
    found = pc.value_counts(pa.array(values, pa.string()))
    by_name = dict(zip(found.field("values").to_pylist(), found.field("counts").to_pylist(), strict=True))
    missing = by_name.pop("", 0)
    if categories is None:
        categories = sorted(by_name, key=lambda name: (-by_name[name], name))[:MAX_CATEGORIES]
    listed = [by_name.get(name, 0) for name in categories]
    return {
        "categories": categories,
        "counts": [*listed, len(values) - missing - sum(listed)],
        "missing": missing,
    }


def profile(
    columns: Columns,
    outputs: Sequence[str],
    values: Mapping[str, _Column],
    reference: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The profile of every column and output, ready for JSON.

    Args:
        columns: the model's.
        outputs: the names of the objective's outputs.
        values: by name each column and output.
        reference: a profile whose bins and categories are used, so that both can be compared.
    """
    reference = reference or {}
    numeric = {
        name: numeric_profile(values[name], reference.get(name, {}).get("edges"))
        for name in (*columns.numeric, *outputs)
    }
    texts = {
        name: text_profile(values[name], reference.get(name, {}).get("categories")) for name in columns.categorical
    }
    return {**numeric, **texts}
