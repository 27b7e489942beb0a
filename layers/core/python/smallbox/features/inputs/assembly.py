"""The model's inputs, put together the same way for a request, a file, a training set and the skew audit.

What the caller sent, what the store adds, defaults for what is missing there, then what is computed on demand.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np

from smallbox.arrays import Array, Bools, Floats, Objects
from smallbox.define.model import Model
from smallbox.errors import DefinitionError
from smallbox.features.engine import StoredFeatures
from smallbox.features.inputs.on_demand import compute

MISSING_TEXT: Final = ""
"""A text that is null, for the model and for functions on demand."""

_ALONE: Final = 50
_MOMENT: Final = "datetime64[us]"


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """What the model sees of ``n`` questions.

    Attributes:
        numeric: ``(n, len(columns.numeric))``, float64; the model takes them as float32.
        categorical: ``(n, len(columns.categorical))`` of text.
        missing: ``(n, len(model.stored))``: where a stored feature was missing and has its default, or none.
    """

    numeric: Floats
    categorical: Objects
    missing: Bools


def sent(model: Model, instances: Sequence[Mapping[str, Any]]) -> dict[str, Array]:
    """The request fields of instances that a contract has checked, an array each."""
    return {name: _array(model, name, [i.get(name) for i in instances]) for name in model.sent_fields}


def _array(model: Model, name: str, values: Sequence[Any]) -> Array:
    kind = model.request.fields[name].type
    if kind == "text":
        return np.array([MISSING_TEXT if v is None else v for v in values], dtype=object)
    if kind == "timestamp":
        return np.array(["NaT" if v is None else v for v in values], dtype=_MOMENT)
    return np.array(values, dtype=np.float64)


@lru_cache(maxsize=64)
def _defaults(model: Model) -> tuple[Floats, Objects]:
    """What stands in for stored numbers, not a number for none, and for stored texts."""
    declared = model.defaults
    texts = [declared.get(name, MISSING_TEXT) for name in model.stored_texts]
    numbers = [declared.get(name) for name in model.stored_numeric]
    return np.array(numbers, dtype=np.float64), np.array(texts, dtype=object)


def _filled(model: Model, stored: StoredFeatures) -> tuple[StoredFeatures, Bools]:
    """Stored features with their defaults, and where they were missing."""
    numbers, texts = _defaults(model)
    no_number = np.isnan(stored.numeric)
    no_text = np.equal(stored.texts, np.array(None))
    filled = StoredFeatures(np.where(no_number, numbers, stored.numeric), np.where(no_text, texts, stored.texts))
    return filled, np.hstack([no_number, no_text.astype(bool)])


def _named(model: Model, request: Mapping[str, Array], filled: StoredFeatures) -> dict[str, Array]:
    """What on-demand features may read, a contiguous array each."""
    numbers = {name: np.ascontiguousarray(filled.numeric[:, at]) for at, name in enumerate(model.stored_numeric)}
    texts = {name: filled.texts[:, at].copy() for at, name in enumerate(model.stored_texts)}
    return {**request, **numbers, **texts}


def assemble(model: Model, request: Mapping[str, Array], stored: StoredFeatures) -> Inputs:
    """The inputs of a number of questions.

    Args:
        model: whose inputs.
        request: the fields of ``model.sent_fields``, an array each; their types are in
            :mod:`smallbox.define.on_demand`.
        stored: what the store adds.

    Raises:
        DefinitionError: when an on-demand function does not give one number a row.
    """
    rows = len(stored.numeric)
    filled, missing = _filled(model, stored)
    sent_numbers = [request[name] for name in model.columns.numeric if name in request]
    sent_texts = [request[name] for name in model.columns.categorical if name in request]
    # copied before functions get the arrays: what one of them writes into them is its own affair
    numeric = [_matrix(sent_numbers, rows, np.float64), filled.numeric]
    texts = np.hstack([_matrix(sent_texts, rows, object), filled.texts])
    if model.on_demand:
        computed = compute(model.on_demand, _named(model, request, filled), rows)
        numeric.append(_matrix([computed[f.__name__] for f in model.on_demand], rows, np.float64))
    return Inputs(np.hstack(numeric), texts, missing)


def _matrix(columns: Sequence[Array], rows: int, kind: Any) -> Array:
    matrix = np.empty((rows, len(columns)), dtype=kind)
    for at, column in enumerate(columns):
        matrix[:, at] = column
    return matrix


def check_rows_apart(model: Model, request: Mapping[str, Array], stored: StoredFeatures) -> None:
    """Refuse an on-demand feature whose value for a row depends on the other rows: one row is served, many trained.

    Some rows, spread over all, are computed alone as well.

    Raises:
        DefinitionError: naming the function.
    """
    rows = len(stored.numeric)
    values = _named(model, request, _filled(model, stored)[0])
    together = compute(model.on_demand, values, rows)
    for row in range(0, rows, max(rows // _ALONE, 1)):
        alone = compute(model.on_demand, {name: column[row : row + 1] for name, column in values.items()}, 1)
        for name, column in together.items():
            if not np.array_equal(column[row : row + 1], alone[name], equal_nan=True):
                raise DefinitionError(
                    f"on-demand feature {name} gives {column[row]} for a row among {rows}, and {alone[name][0]} for it "
                    "alone; compute each row from that row only"
                )
