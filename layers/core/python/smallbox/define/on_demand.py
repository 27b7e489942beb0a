"""On-demand features: plain functions of request fields and stored features, computed when a prediction is asked for.

A function's name is its column, and its parameters name its inputs: fields of the request, features of the views, or
other on-demand functions. It is always called with arrays, of one element for one request and of a million for a
training set, so that there is one way to compute it: numbers as float64, not a number for null; texts as objects,
``""`` for null; timestamps as ``datetime64[us]``. It returns as many numbers; what is not finite counts as missing.
"""

import inspect
from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from typing import Any

from smallbox.define.source import check_name
from smallbox.errors import DefinitionError

OnDemand = Callable[..., Any]
"""Takes one array for each of its parameters, and gives one of the same length."""


@lru_cache(maxsize=1024)
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
