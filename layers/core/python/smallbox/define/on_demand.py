"""On-demand features: functions of request fields and stored features, computed at prediction time.

A function's name is its column. Its parameters name its inputs: request fields, features of the views, or other
on-demand functions. It is vectorised: it gets arrays, of one element for one request and of a million for a training
set, so serving and training compute it the same way. Numbers are float64 with NaN for null; texts are objects with
``""`` for null; timestamps are ``datetime64[us]``. It returns an array of numbers of the same length; a value that is
not finite counts as missing.
"""

import inspect
from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from typing import Any

from smallbox.define.source import check_name
from smallbox.errors import DefinitionError

OnDemand = Callable[..., Any]
"""Takes one array per parameter, and returns one array of the same length."""


@lru_cache(maxsize=1024)
def parameters_of(function: OnDemand) -> tuple[str, ...]:
    """The names of the inputs that a function reads."""
    return tuple(inspect.signature(function).parameters)


def dependency_order(functions: Sequence[OnDemand], known: Collection[str]) -> tuple[OnDemand, ...]:
    """Topological order: each function comes after the functions that it reads.

    Args:
        functions: on-demand features.
        known: the fields and features that they may read besides each other.

    Raises:
        DefinitionError: when a function reads an unknown name, two have one name, or the dependencies have a cycle.
    """
    waiting = {function.__name__: function for function in functions}
    if len(waiting) < len(functions):
        raise DefinitionError("on_demand: two functions have one name; a column has one name")
    for name, function in waiting.items():
        check_name("on-demand feature", name)
        unknown = [p for p in parameters_of(function) if p not in known and p not in waiting]
        if unknown:
            raise DefinitionError(
                f"on-demand feature {name}: {', '.join(unknown)} is not a field of the request, a feature of the views "
                f"or an on-demand feature; there is {', '.join(sorted({*known, *waiting} - {name}))}"
            )
    return tuple(_sorted(waiting))


def _sorted(waiting: dict[str, OnDemand]) -> list[OnDemand]:
    ordered: list[OnDemand] = []
    while waiting:
        ready = [name for name, function in waiting.items() if not waiting.keys() & set(parameters_of(function))]
        if not ready:
            raise DefinitionError(
                f"on-demand features {', '.join(waiting)} depend on each other in a cycle; remove one dependency"
            )
        ordered += [waiting.pop(name) for name in ready]
    return ordered
