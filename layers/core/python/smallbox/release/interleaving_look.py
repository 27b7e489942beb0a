"""One look at an interleaving: which of two versions people have preferred since it began."""

import math
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from smallbox.define.interleavings import Interleaving
from smallbox.errors import NotReady
from smallbox.labels.interleaved import interleaved_columns, judge_interleaving
from smallbox.lake.names import labelled_table
from smallbox.lake.schemas import labelled_schema
from smallbox.objectives.objective import Objective
from smallbox.ports import Between, Lake
from smallbox.registry.routing import RunningExperiment
from smallbox.release.interleaving_record import InterleavingRecord, final_result
from smallbox.statistics.preference import Pairs, Preference
from smallbox.statistics.sequences import units_needed
from smallbox.table_columns import INTERLEAVING
from smallbox.times import DAY, Micros, format_moment

MOST_SHOWN: Final = 2_000_000
"""How many shown rows a look holds: a row takes about 1 kB while it is judged."""


def shown_in(
    lake: Lake, model: str, objective: Objective, running: RunningExperiment, as_of: Micros, most: int = MOST_SHOWN
) -> pa.Table:
    """The labelled rows of an interleaving's lists.

    It reads the labelled predictions of the requests since the experiment began, a day at a time, and only the columns
    of :func:`~smallbox.labels.interleaved.interleaved_columns`; of each day it holds the rows of interleaved lists.

    Raises:
        NotReady: when there are more rows than fit into memory.
    """
    schema, columns = labelled_schema(objective), interleaved_columns(objective)
    found, held = [schema.empty_table().select(columns)], 0
    for start in range(running.since, as_of, DAY):
        day = Between("time", start, min(start + DAY, as_of))
        rows = lake.read(labelled_table(model), columns, day, schema=schema)
        if rows is not None:
            found.append(rows.filter(pc.equal(rows[INTERLEAVING], running.name)).select(columns))
            held += found[-1].num_rows
            _check_held(running, held, most)
    return pa.concat_tables(found)


def _check_held(running: RunningExperiment, held: int, most: int) -> None:
    if held > most:
        raise NotReady(
            f"the lists of {running.name} have more than {most:,} shown rows, which is more than a look can hold; stop "
            "it, and start another with smaller --weights"
        )


def judged_interleaving(
    objective: Objective, rows: pa.Table, record: InterleavingRecord, as_of: Micros
) -> dict[str, Any]:
    """The result of an interleaving at a moment: the verdict with all that it rests on.

    Args:
        objective: that of both versions.
        rows: the :func:`shown_in` rows.
        record: the experiment.
        as_of: the moment.
    """
    running, rules = record.running, record.rules
    first, second = running.versions
    error = round(1 - rules.confidence, 12)
    found = judge_interleaving(objective, rows, running.name, (first, second), _pairs(rules), error)
    days = (as_of - running.since) / DAY
    is_early = days < rules.min_days
    result = {
        "as_of": format_moment(as_of),
        "verdict": "wait" if is_early else found.verdict,
        "sentence": f"it has run for {days:.1f} of at least {rules.min_days} days"
        if is_early
        else _said(running, found),
        "undecided": _undecided(running, found, days),
        "days": round(days, 2),
        "preference": found.sequence.as_json(),
        "prefer": {str(first): found.first, str(second): found.second},
        "sign_p": found.sign_p,
    }
    return dict(final_result(result)) if days >= rules.max_days else result


def _pairs(rules: Interleaving) -> Pairs:
    return "balanced" if rules.merge == "balanced" else rules.pairs


def day_of_preference(result: dict[str, Any]) -> dict[str, Any]:
    """What is kept of a look for its history: the verdict, and the preference with its bounds."""
    return {name: result[name] for name in ("as_of", "verdict", "preference", "prefer", "sign_p")}


def _said(running: RunningExperiment, found: Preference) -> str:
    first, second = (f"version {number}" for number in running.versions)
    return found.sentence(first, second, counted_units(running))


def counted_units(running: RunningExperiment) -> str:
    """What counts as independent: units of a declared field, or lists."""
    return f"units ({running.unit})" if running.unit else "lists"


def _undecided(running: RunningExperiment, found: Preference, days: float) -> str:
    """That there is no verdict, and what it would have taken."""
    (first, second), counted = running.versions, counted_units(running)
    units, decided = found.sequence.units, found.first + found.second
    text = (
        f"cannot tell which of version {first} and version {second} is preferred: {found.second:,} of {decided:,} "
        f"{counted} with a preference prefer version {second}"
    )
    value = found.sequence.value
    if not found.deviation or not value:
        return f"{text}; {units:,} {counted} with labels say nothing of what it would take"
    needed = units_needed(found.deviation, abs(value), found.sequence.error).sequential
    if needed <= units:
        return f"{text}; a mean preference like the {value:+.3f} found is decided by now in four of five experiments"
    return (
        f"{text}; a mean preference like the {value:+.3f} found takes, in four of five experiments, {needed:,} "
        f"{counted} with labels, about {math.ceil(needed * days / units):,} days at this traffic; there are {units:,}"
    )
