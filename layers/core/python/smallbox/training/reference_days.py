"""The numbers of each training day: what the monitor takes for the usual variation from day to day."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np

from smallbox.arrays import Array, Floats, Ints
from smallbox.define.model import Model
from smallbox.define.signature import Columns
from smallbox.statistics.day_streams import DayStreams, DayValue, day_streams
from smallbox.times import DAY
from smallbox.training.examples import Examples
from smallbox.training.profile import profile
from smallbox.training.profile_numbers import day_numbers

_NO_COLUMNS: Final = Columns((), ())


def reference_days(
    model: Model, examples: Examples, validation: Examples, outputs: Floats, reference: dict[str, Any]
) -> DayStreams:
    """Day streams of the inputs of all days, and of the outputs on the days of the validation.

    The outputs of rows that fitted the model are left out: it answers those better than any later row. So are personal
    inputs, since a change is told with the categories that moved.

    Args:
        model: its columns and outputs are summarized.
        examples: the rows of the dataset.
        validation: those that did not fit the model.
        outputs: the candidate's outputs for them, ``(n, o)``.
        reference: the version's profile; its bins are used.
    """
    names = model.objective.outputs
    scored = dict(zip(names, outputs.T, strict=True))
    days: dict[int, dict[str, DayValue]] = defaultdict(dict)
    for day, rows in _by_day(examples.times):
        seen = profile(model.shown_columns, (), _taken(examples.by_column, rows), reference)
        days[day].update(day_numbers(seen, reference))
    for day, rows in _by_day(validation.times):
        seen = profile(_NO_COLUMNS, names, _taken(scored, rows), reference)
        days[day].update(day_numbers(seen, reference))
    return day_streams(days)


def _taken(columns: Mapping[str, Array], rows: Ints) -> dict[str, Array]:
    return {name: values[rows] for name, values in columns.items()}


def _by_day(times: Ints) -> Iterator[tuple[int, Ints]]:
    """Each day with the positions of its rows."""
    days = times // DAY
    order = np.argsort(days, kind="stable")
    found, starts = np.unique(days[order], return_index=True)
    return zip(found.tolist(), np.split(order, starts[1:]), strict=True)
