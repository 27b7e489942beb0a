"""Numbers that a definition declares as a prediction."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from smallbox.errors import DefinitionError


def number_of(declared: Any, place: str) -> float:
    """A finite number that a definition declares.

    Raises:
        DefinitionError: when it is none.
    """
    if isinstance(declared, bool) or not isinstance(declared, int | float) or not math.isfinite(declared):
        raise DefinitionError(f"{place} is {declared!r}; write a number")
    return float(declared)


def numbers_of(declared: Any, names: Sequence[str], place: str) -> tuple[float, ...]:
    """A finite number for each name that a definition declares, in the order of the names.

    Raises:
        DefinitionError: when it is no mapping of these names to numbers.
    """
    if not isinstance(declared, Mapping) or set(declared) != set(names):
        raise DefinitionError(f"{place} is {declared!r}; write a number for each of {', '.join(names)}")
    return tuple(number_of(declared[name], f"{place}: {name}") for name in names)
