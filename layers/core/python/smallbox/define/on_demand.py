"""On-demand features: plain functions of request fields and stored features, computed when a prediction is asked for.

A function's name is its column, and its parameters name its inputs: fields of the request, features of the views, or
other on-demand functions. It is always called with arrays, of one element for one request and of a million for a
training set, so that there is one way to compute it: numbers as float64, not a number for null; texts as objects,
``""`` for null; timestamps as ``datetime64[us]``. It returns as many numbers; what is not finite counts as missing.
"""

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from smallbox.define.source import check_name
from smallbox.errors import DefinitionError

Array = npt.NDArray[Any]
OnDemand = Callable[..., Any]
"""Takes one array for each of its parameters, and gives one of the same length."""


def parameters_of(function: OnDemand) -> tuple[str, ...]:
    """The names of what a function reads."""
    return tuple(inspect.signature(function).parameters)


def in_order(functions: Sequence[OnDemand], known: Collection[str]) -> tuple[OnDemand, ...]:
    """The functions, each after those that it reads.

    Args:
        functions: on-demand features.
        known: the fields and features that they may read besides each other.

    Raises:
        DefinitionError: when a function reads what is not there, or functions read each other in a circle.
    """
    waiting = {function.__name__: function for function in functions}
    if len(waiting) < len(functions):
        raise DefinitionError("on_demand: two functions have one name; a column has one name")
    for name, function in waiting.items():
        check_name("on-demand feature", name)
        unknown = [p for p in parameters_of(function) if p not in known and p not in waiting]
        if unknown:
            raise DefinitionError(
                f"on-demand feature {name}: {', '.join(unknown)} is no field of the request, no feature of the views "
                f"and no on-demand feature; there is {', '.join(sorted({*known, *waiting} - {name}))}"
            )
    return tuple(_sorted(waiting))


def _sorted(waiting: dict[str, OnDemand]) -> list[OnDemand]:
    ordered: list[OnDemand] = []
    while waiting:
        ready = [name for name, function in waiting.items() if not waiting.keys() & set(parameters_of(function))]
        if not ready:
            raise DefinitionError(f"on-demand features {', '.join(waiting)} read each other in a circle")
        ordered += [waiting.pop(name) for name in ready]
    return ordered


def compute(
    functions: Sequence[OnDemand], values: Mapping[str, Array], rows: int
) -> dict[str, npt.NDArray[np.float64]]:
    """The on-demand features of a number of rows, by name.

    Args:
        functions: in the order of :func:`in_order`.
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
        raise DefinitionError(f"on-demand feature {name} must give numbers: {error}") from error
    if numbers.shape != (rows,):
        raise DefinitionError(f"on-demand feature {name} must give one number a row: {rows}, not {numbers.shape}")
    return np.where(np.isfinite(numbers), numbers, np.nan)
