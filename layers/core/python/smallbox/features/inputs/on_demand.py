"""Evaluation of on-demand features; see :mod:`smallbox.define.on_demand`."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from smallbox.arrays import Array
from smallbox.define.on_demand import OnDemand, parameters_of
from smallbox.errors import DefinitionError


def compute(
    functions: Sequence[OnDemand], values: Mapping[str, Array], rows: int
) -> dict[str, npt.NDArray[np.float64]]:
    """The on-demand features by name, one value per row; infinities become NaN.

    Args:
        functions: in dependency order, see ``smallbox.define.on_demand.dependency_order``.
        values: request fields and stored features, one array each.
        rows: the number of rows.

    Raises:
        DefinitionError: if a function does not return one number per row; names the function.
    """
    known = dict(values)
    for function in functions:
        with np.errstate(all="ignore"):
            found = function(*(known[name] for name in parameters_of(function)))
        known[function.__name__] = _numbers(function.__name__, found, rows)
    return {function.__name__: known[function.__name__] for function in functions}


def _numbers(name: str, found: Any, rows: int) -> npt.NDArray[np.float64]:
    try:
        numbers = np.asarray(found, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DefinitionError(f"on-demand feature {name} must return numbers, not {_kinds(found)}") from error
    if numbers.shape != (rows,):
        raise DefinitionError(
            f"on-demand feature {name} must return one number per row: shape ({rows},), not {numbers.shape}"
        )
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _kinds(found: Any) -> str:
    """The types of the returned values, for the message; the values themselves may be personal data."""
    return " and ".join(sorted({type(one).__name__ for one in np.ravel(np.asarray(found, dtype=object))}))
