"""Inputs as features of a joint comparison: where a value lies, how far out, what is missing, what goes with what."""

from collections.abc import Iterator
from itertools import combinations
from typing import Final

from smallbox.arrays import Array, Bools, Floats, np
from smallbox.monitoring.observed_rows import ObservedRows

_TEXTS: Final = 5
_MOST_PAIRED: Final = 15
"""Pairs of so many numbers are compared, the first ones: 105 pairs."""


def joint_features(rows: ObservedRows, before: Bools) -> tuple[Floats, list[str]]:
    """The features of rows ``(n, m)``, none missing, and what each is told as.

    A number counts by its place among the rows before, 0 to 1, so that units and heavy tails do not matter, and by its
    distance from their middle. Products of two centred places show how columns go together, as a rank correlation does.

    Args:
        rows: all rows.
        before: which of them are the reference, ``(n,)``.
    """
    numbers = {name: one for name, one in rows.inputs.items() if one.dtype != object}
    places = {name: _centred_places(values, before) for name, values in numbers.items()}
    parts = [
        *((name, one) for name, values in numbers.items() for one in _of_number(values, places[name])),
        *((name, one) for name, values in rows.inputs.items() if values.dtype == object for one in _of_text(values)),
        *((f"{a} with {b}", places[a] * places[b]) for a, b in combinations(list(places)[:_MOST_PAIRED], 2)),
    ]
    features = np.column_stack([np.empty((len(rows), 0)), *(one for _, one in parts)])
    return features, [name for name, _ in parts]


def _centred_places(values: Array, before: Bools) -> Floats:
    """The place of each value among those before, from -1/2 to 1/2; 0 where it is missing."""
    known = np.sort(values[before & ~np.isnan(values)])
    ends = np.searchsorted(known, values, "left") + np.searchsorted(known, values, "right")
    return np.where(np.isnan(values), 0.0, ends / 2 / max(len(known), 1) - 0.5)


def _of_number(values: Array, places: Floats) -> Iterator[Floats]:
    missing = np.isnan(values)
    yield places
    yield np.where(missing, 0.25, np.abs(places))
    yield missing * 1.0


def _of_text(values: Array) -> Iterator[Floats]:
    texts, counts = np.unique(values.astype(str), return_counts=True)
    for text in texts[np.argsort(-counts, kind="stable")][:_TEXTS]:
        yield (values == text) * 1.0
