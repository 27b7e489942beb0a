"""On-demand features of any number of rows; see :mod:`smallbox.define.on_demand`."""

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
    """The on-demand features of a number of rows, by name.

    Args:
        functions: in the order of :func:`dependency_order`.
        values: request fields and stored features, an array each.
        rows: how many.

    Raises:
        DefinitionError: naming the function that gives something else than one number a row.
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
        raise DefinitionError(f"on-demand feature {name} must give numbers, not {_kinds(found)}") from error
    if numbers.shape != (rows,):
        raise DefinitionError(f"on-demand feature {name} must give one number a row: {rows}, not {numbers.shape}")
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _kinds(found: Any) -> str:
    """The types of what a function gave; the values may be personal."""
    return " and ".join(sorted({type(one).__name__ for one in np.ravel(np.asarray(found, dtype=object))}))
