"""Assembly of a model's inputs, shared by online requests, batch files, training sets and the skew audit.

Order: request fields, stored features, defaults for missing stored features, on-demand features.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np

from smallbox.arrays import Array, Bools, Floats, Objects
from smallbox.define.signature import Signature
from smallbox.errors import DefinitionError
from smallbox.features.engine import StoredFeatures
from smallbox.features.inputs.on_demand import compute

MISSING_TEXT: Final = ""
"""Replaces a null text, for the model and for on-demand functions."""

_ALONE: Final = 50
_MOMENT: Final = "datetime64[us]"


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """The model's input matrices for ``n`` rows.

    Attributes:
        numeric: ``(n, len(columns.numeric))``, float64; NaN means missing; the model casts them to float32.
        categorical: ``(n, len(columns.categorical))``, texts.
        missing: ``(n, len(signature.stored))``; true where a stored feature was missing, with or without a default.
    """

    numeric: Floats
    categorical: Objects
    missing: Bools


def request_arrays(signature: Signature, instances: Sequence[Mapping[str, Any]]) -> dict[str, Array]:
    """The request fields of validated instances as columns, one array per field."""
    numbers, others = _sent(signature)
    matrix = np.array([[i.get(name) for i in instances] for name in numbers], dtype=np.float64)
    columns: dict[str, Array] = dict(zip(numbers, matrix, strict=True))
    for name, kind in others:
        absent = MISSING_TEXT if kind is object else "NaT"
        values = [i.get(name) for i in instances]
        columns[name] = np.array([absent if v is None else v for v in values], dtype=kind)
    return columns


@lru_cache(maxsize=64)
def _sent(signature: Signature) -> tuple[tuple[str, ...], tuple[tuple[str, Any], ...]]:
    """The sent fields: those that are numbers, and the others with the type of their arrays."""
    types = {name: signature.request.fields[name].type for name in signature.sent_fields}
    others = {"text": object, "timestamp": _MOMENT}
    numbers = tuple(name for name, kind in types.items() if kind not in others)
    return numbers, tuple((name, others[kind]) for name, kind in types.items() if kind in others)


@lru_cache(maxsize=64)
def _defaults(signature: Signature) -> tuple[Floats, Objects]:
    """Defaults of the stored numbers (NaN means no default) and of the stored texts."""
    declared = signature.defaults
    texts = [declared.get(name, MISSING_TEXT) for name in signature.stored_texts]
    numbers = [declared.get(name) for name in signature.stored_numeric]
    return np.array(numbers, dtype=np.float64), np.array(texts, dtype=object)


def _filled(signature: Signature, stored: StoredFeatures) -> tuple[StoredFeatures, Bools]:
    """Stored features with defaults filled in, and the mask of missing values."""
    if not signature.stored:
        return stored, np.empty((len(stored.numeric), 0), bool)
    numbers, texts = _defaults(signature)
    no_number = np.isnan(stored.numeric)
    no_text = np.equal(stored.texts, np.array(None))
    filled = StoredFeatures(np.where(no_number, numbers, stored.numeric), np.where(no_text, texts, stored.texts))
    return filled, np.concatenate([no_number, no_text.astype(bool)], axis=1)


def _named(signature: Signature, request: Mapping[str, Array], filled: StoredFeatures) -> dict[str, Array]:
    """The arguments of on-demand functions by name, contiguous arrays."""
    numbers = {name: np.ascontiguousarray(filled.numeric[:, at]) for at, name in enumerate(signature.stored_numeric)}
    texts = {name: filled.texts[:, at].copy() for at, name in enumerate(signature.stored_texts)}
    return {**request, **numbers, **texts}


def assemble(signature: Signature, request: Mapping[str, Array], stored: StoredFeatures) -> Inputs:
    """Assemble the model's inputs, one row per question.

    Args:
        signature: the model's signature.
        request: one array per field of ``signature.sent_fields``; their types are in
            :mod:`smallbox.define.on_demand`.
        stored: the stored features, before defaults.

    Raises:
        DefinitionError: if an on-demand function does not return one number per row.
    """
    rows = len(stored.numeric)
    filled, missing = _filled(signature, stored)
    sent_numbers = [request[name] for name in signature.columns.numeric if name in request]
    sent_texts = [request[name] for name in signature.columns.categorical if name in request]
    # copy before on-demand functions get the arrays: a function that writes into its arguments must not change inputs
    numeric = _matrix(sent_numbers, filled.numeric, len(signature.on_demand))
    texts = _matrix(sent_texts, filled.texts)
    if signature.on_demand:
        computed = compute(signature.on_demand, _named(signature, request, filled), rows)
        for at, function in enumerate(signature.on_demand, start=-len(signature.on_demand)):
            numeric[:, at] = computed[function.__name__]
    return Inputs(numeric, texts, missing)


def _matrix(sent: Sequence[Array], stored: Array, more: int = 0) -> Array:
    """The columns that were sent, the stored ones, and room for more; faster than ``hstack`` for one row."""
    rows, width = stored.shape
    matrix = np.empty((rows, len(sent) + width + more), dtype=stored.dtype)
    for at, column in enumerate(sent):
        matrix[:, at] = column
    matrix[:, len(sent) : len(sent) + width] = stored
    return matrix


def check_rows_apart(signature: Signature, request: Mapping[str, Array], stored: StoredFeatures) -> None:
    """Raise if an on-demand feature's value for a row depends on other rows: serving has one row, training has many.

    Recomputes about 50 evenly spaced rows, each alone, and compares.

    Raises:
        DefinitionError: names the function.
    """
    rows = len(stored.numeric)
    values = _named(signature, request, _filled(signature, stored)[0])
    together = compute(signature.on_demand, values, rows)
    for row in range(0, rows, max(rows // _ALONE, 1)):
        alone = compute(signature.on_demand, {name: column[row : row + 1] for name, column in values.items()}, 1)
        for name, column in together.items():
            if not np.array_equal(column[row : row + 1], alone[name], equal_nan=True):
                raise DefinitionError(
                    f"on-demand feature {name} gives {column[row]} for a row among {rows}, but {alone[name][0]} for "
                    "the same row alone; compute each row from that row only"
                )
