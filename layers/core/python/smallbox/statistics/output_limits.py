"""Outputs within the limits that a model declares for what may be acted on."""

from collections.abc import Mapping, Sequence

import numpy as np

from smallbox.arrays import Floats


def within_limits(outputs: Floats, names: Sequence[str], limits: Mapping[str, tuple[float | None, ...]]) -> Floats:
    """``(n, k)`` outputs, in the order of ``names``, with values beyond a limit set to it; NaN stays NaN.

    >>> within_limits(np.array([[7.0]]), ["value"], {"value": (None, 5.0)}).tolist()
    [[5.0]]
    """
    within = outputs.copy()
    for at, name in enumerate(names):
        least, most = limits.get(name, (None, None))
        within[:, at] = np.clip(within[:, at], -np.inf if least is None else least, np.inf if most is None else most)
    return within
