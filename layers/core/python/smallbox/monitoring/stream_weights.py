"""How the budget of false alarms is spent: more on what can hurt, and some on everything."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from smallbox.arrays import Floats
from smallbox.monitoring.label_numbers import BIAS, LABEL, LOSS
from smallbox.monitoring.slice_findings import is_slice
from smallbox.profiles.column_pairs import stream_columns
from smallbox.table_columns import is_output

_FLOOR: Final = 0.5
"""The part of an average input's weight that an input without any importance has: importance is an estimate, and a
column that the model ignores can show that a source broke."""


def stream_weights(names: Sequence[str], importance: Mapping[str, float]) -> Floats:
    """The weight of each stream in the evidence, ``(streams,)``; their ratios count.

    A column has one weight, which its streams share evenly, pairs with the first of their columns. An input weighs
    from a half upwards, by importance, 1 on average; a source weighs 1. Outputs, labels and losses weigh as much as the
    most important input, and so do the losses of the slices of one input together: an input with many slices takes
    nothing from others. Without importance all columns weigh the same.

    The weights are fixed before the days that are judged, so whatever they are they keep the budget.

    Args:
        names: the streams, ``<column>:<what>``.
        importance: by input, at least 0.
    """
    columns = [_weighed_as(name) for name in names]
    streams, total = Counter(columns), sum(importance.values())
    by_input = {
        name: _FLOOR + (1 - _FLOOR) * len(importance) * one / total for name, one in importance.items() if total > 0
    }
    most = max(by_input.values(), default=1.0)
    return np.array([(most if _hurts(name) else by_input.get(name, 1.0)) / streams[name] for name in columns], float)


def _weighed_as(stream: str) -> str:
    """The column that a stream shares the weight of; the slices of one input share one, like ``loss:carrier``."""
    return stream.partition("=")[0] if is_slice(stream) else stream_columns(stream)[0]


def _hurts(column: str) -> bool:
    return is_output(column) or column.partition(":")[0] in {LABEL, LOSS, BIAS}
