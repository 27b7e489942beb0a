"""The array types that rooms pass to each other, and what works on arrays whatever they mean.

``np`` of this module is numpy, imported when it is first used. Every function imports the definition, and so the
objective of its labels; most never compute with it, and the runtime of the HTTPS API has no numpy.
"""

import importlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Array = npt.NDArray[Any]
    Ints = npt.NDArray[np.int64]
    Floats = npt.NDArray[np.float64]
    Floats32 = npt.NDArray[np.float32]
    Bools = npt.NDArray[np.bool_]
    Objects = npt.NDArray[np.object_]
else:

    class _Later:
        """A module that is imported when one of its names is first used."""

        def __init__(self, name: str) -> None:
            self._name = name

        def __getattr__(self, name: str) -> Any:
            found = getattr(importlib.import_module(self._name), name)
            setattr(self, name, found)  # a loop asks for the same names many thousand times
            return found

    np = _Later("numpy")
    Array = Ints = Floats = Floats32 = Bools = Objects = Any

__all__ = ["Array", "Bools", "Floats", "Floats32", "Ints", "Objects", "np", "pairs"]

_PAIRS: Final = 2_000_000
"""How many pairs of a question and a version are listed at once, which bounds the memory."""


def pairs(first: Ints, last: Ints) -> Iterator[tuple[Ints, Ints]]:
    """Every (question, position) with ``first <= position < last``, at most ``_PAIRS`` at a time or one question.

    >>> [(q.tolist(), p.tolist()) for q, p in pairs(np.array([3, 0]), np.array([5, 1]))]
    [([0, 0, 1], [3, 4, 0])]
    """
    sizes = np.maximum(last - first, 0)
    ends = np.cumsum(sizes)
    at = 0
    while at < len(sizes):
        done = int(ends[at - 1]) if at else 0
        stop = max(int(np.searchsorted(ends, done + _PAIRS, side="right")), at + 1)
        question = np.repeat(np.arange(at, stop), sizes[at:stop])
        within = np.arange(len(question)) - np.repeat(ends[at:stop] - sizes[at:stop] - done, sizes[at:stop])
        yield question, first[question] + within
        at = stop
