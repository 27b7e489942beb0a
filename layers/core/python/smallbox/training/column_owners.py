"""Finds which feature each prepared column was made of, by changing one feature after the other."""

from typing import Final

import numpy as np

from smallbox.arrays import Array, Bools, Floats32, Ints, Objects
from smallbox.explanations.preparation import Preparation

_ROWS: Final = 5_000
_BASES: Final = 4
_VALUES: Final = 1_000
_NEVER_SEEN: Final = "\x00"


def column_owners(preparation: Preparation, numeric: Floats32, categorical: Objects) -> Ints | None:
    """The feature of each prepared column, ``(p,)``: a number's or a text's position, numbers first.

    A column that no feature changes has -1. ``None`` when a column depends on several features, as a principal
    component does.

    Args:
        preparation: of the model.
        numeric: ``(n, k)`` of training rows; some of many are tried.
        categorical: ``(n, m)``.
    """
    step = max(1, len(numeric) // _ROWS)
    rows = (numeric[::step], categorical[::step])
    features = numeric.shape[1] + categorical.shape[1]
    changes = np.array([_changed(preparation, rows, feature) for feature in range(features)])
    if (changes.sum(axis=0) > 1).any():
        return None
    return np.where(changes.any(axis=0), changes.argmax(axis=0), -1)


def _changed(preparation: Preparation, rows: tuple[Floats32, Objects], feature: int) -> Bools:
    """Which prepared columns change with a feature: when rows get the value of another, or any value there is."""
    rolled = _with(rows, feature, np.roll(_values(rows, feature), 1))
    found = _differs(preparation, rows, rolled)
    values = _tried(_values(rows, feature))
    for base in np.linspace(0, len(rows[0]) - 1, _BASES).astype(int):
        same = (
            np.repeat(rows[0][base : base + 1], len(values), 0),
            np.repeat(rows[1][base : base + 1], len(values), 0),
        )
        found |= _differs(preparation, same, _with(same, feature, values))
    return found


def _values(rows: tuple[Floats32, Objects], feature: int) -> Array:
    numbers = rows[0].shape[1]
    return rows[0][:, feature] if feature < numbers else rows[1][:, feature - numbers]


def _with(rows: tuple[Floats32, Objects], feature: int, values: Array) -> tuple[Floats32, Objects]:
    numeric, categorical = rows[0].copy(), rows[1].copy()
    _values((numeric, categorical), feature)[:] = values
    return numeric, categorical


def _tried(values: Array) -> Array:
    """Every value, of many an even choice, then values that there are not."""
    if values.dtype == object:
        return np.array([*sorted({*values.tolist()})[:_VALUES], "", _NEVER_SEEN], dtype=object)
    known = np.unique(values[~np.isnan(values)])
    some = known[:: max(1, len(known) // _VALUES)]
    ends = [known[0] - 1, known[-1] + 1] if len(known) else [0.0, 1.0]
    return np.array([*some, *ends, np.nan], np.float32)


def _differs(preparation: Preparation, rows: tuple[Floats32, Objects], others: tuple[Floats32, Objects]) -> Bools:
    first, second = preparation.prepared(*rows), preparation.prepared(*others)
    is_same = (first == second) | (np.isnan(first) & np.isnan(second))
    return np.asarray(~is_same.all(axis=0))
