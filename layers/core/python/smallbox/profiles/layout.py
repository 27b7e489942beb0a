"""The layout of a profile: the bins and categories of its columns, fixed from a reference once.

Profiles can be added up only if they share one layout, so it never changes after its first use.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np

from smallbox.arrays import Floats, Ints

BINS: Final = 64
"""Bins of a numeric column between the smallest and the greatest value of its reference."""

KNOWN_TEXTS: Final = 4_096
"""Most texts of a reference that are remembered without a count of their own, so that they are told from new ones."""

Hashes64 = Any
"""Hashes of texts or rows, ``uint64``."""


@dataclass(frozen=True, slots=True, eq=False)
class NumericBins:
    """The bins of a numeric column.

    Attributes:
        edges: ascending; bin ``i`` holds ``edges[i] <= value < edges[i + 1]``. The last edge lies just above the
            greatest value of the reference. Values outside are counted as ``below`` and ``above``.
        unit: a power of two about as large as the values; sums are kept in steps of ``unit * 2**-40``.
    """

    edges: Floats
    unit: float

    @property
    def slots(self) -> int:
        """Counts of the column: below, the bins, above, missing."""
        return len(self.edges) + 2


@dataclass(frozen=True, slots=True, eq=False)
class TextBins:
    """The categories of a text column.

    Attributes:
        categories: the texts with a count of their own.
        known: ascending hashes of other texts of the reference, counted together as ``rest``.
        is_open: whether every other text is ``rest``, as for identifiers, of which most are always new.
    """

    categories: tuple[str, ...]
    known: Hashes64
    is_open: bool = False

    @property
    def slots(self) -> int:
        """Counts of the column: the categories, rest, unseen, missing."""
        return len(self.categories) + 3


ColumnBins = NumericBins | TextBins


class ProfileLayout:
    """The columns of a profile, with their bins and categories.

    Args:
        columns: by name the bins of each column.
    """

    def __init__(self, columns: Mapping[str, ColumnBins]) -> None:
        self.columns = dict(columns)
        ends = np.cumsum([0, *(one.slots for one in self.columns.values())])
        self.slices = {name: slice(int(a), int(b)) for name, a, b in zip(columns, ends, ends[1:], strict=False)}
        self.slots = int(ends[-1])
        self.numeric = tuple(name for name, one in self.columns.items() if isinstance(one, NumericBins))

    def only(self, wanted: Callable[[str], bool]) -> "ProfileLayout":
        """The layout of some of the columns."""
        return ProfileLayout({name: one for name, one in self.columns.items() if wanted(name)})

    @cached_property
    def grid(self) -> Floats:
        """For each numeric column the step in which its sums are kept."""
        units = [one.unit for one in self.columns.values() if isinstance(one, NumericBins)]
        return np.array(units, np.float64) * 2.0**-40

    @cached_property
    def digest(self) -> bytes:
        """Eight bytes that tell layouts apart."""
        return hashlib.blake2b(self.to_bytes(), digest_size=8).digest()

    def to_bytes(self) -> bytes:
        """The layout as JSON; equal layouts give equal bytes."""
        return json.dumps({name: _as_json(one) for name, one in self.columns.items()}).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> "ProfileLayout":
        """The inverse of :meth:`to_bytes`."""
        return cls({name: _from_json(one) for name, one in json.loads(content).items()})


def _as_json(bins: ColumnBins) -> dict[str, Any]:
    if isinstance(bins, NumericBins):
        return {"edges": bins.edges.tolist(), "unit": bins.unit}
    return {"categories": list(bins.categories), "known": bins.known.tolist(), "is_open": bins.is_open}


def _from_json(document: Mapping[str, Any]) -> ColumnBins:
    if "edges" in document:
        return NumericBins(np.array(document["edges"], np.float64), document["unit"])
    return TextBins(tuple(document["categories"]), np.array(document["known"], np.uint64), document["is_open"])


def numeric_bins(values: Floats, bins: int = BINS) -> NumericBins:
    """Bins with about as many values of a reference each; a value that is frequent has a bin of its own.

    Args:
        values: the reference; NaN is missing, infinite values are left out.
        bins: the number of bins.

    >>> numeric_bins(np.array([1.0, 1.0, 2.0, np.nan])).edges[:2].tolist()
    [1.0, 2.0]
    """
    known = values[np.isfinite(values)].astype(np.float64) + 0.0
    distinct = np.unique(known)
    if len(distinct) > bins:
        # an order statistic is a value of the reference, so that no edge depends on rounding
        distinct = np.unique(np.quantile(known, np.arange(bins + 1) / bins, method="lower"))
        inner = distinct[:-1]
    else:
        inner = distinct
    if not len(inner):
        return NumericBins(np.array([0.0, np.nextafter(0.0, np.inf)]), 1.0)
    return NumericBins(np.append(inner, np.nextafter(distinct[-1], np.inf)), _unit(known))


def declared_bins(minimum: float | None, maximum: float | None) -> NumericBins:
    """Bins of a field without a reference: even ones of its declared range, else by powers of two of both signs."""
    if minimum is not None and maximum is not None and minimum < maximum:
        edges = np.linspace(minimum, maximum, BINS + 1)
        edges[-1] = np.nextafter(maximum, np.inf)
        return NumericBins(edges, _unit(edges))
    powers = 2.0 ** np.arange(-BINS // 4, BINS // 4)
    return NumericBins(np.concatenate((-powers[::-1], [0.0], powers)), 1.0)


def _unit(known: Floats) -> float:
    size = float(np.quantile(np.abs(known), 0.99)) or float(np.abs(known).max())
    return float(2.0 ** np.clip(np.ceil(np.log2(size)), -900, 900)) if size else 1.0


def slots_of(bins: NumericBins, values: Floats) -> Ints:
    """The count of each value: 0 below, then the bins, then above; missing values come last."""
    at = np.searchsorted(bins.edges, values, side="right")
    # NaN sorts behind every number
    at[np.isnan(values)] = len(bins.edges) + 1
    return at
