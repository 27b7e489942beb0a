"""Finds the settled predictions that new outcomes touch, and the outcomes of predictions that were never made."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from smallbox.define.model import Model
from smallbox.define.project import Project
from smallbox.define.rules import Label
from smallbox.feedback.restatements import Since, restatements
from smallbox.labels.join import REMEMBERED, matched_by
from smallbox.lake.history import history
from smallbox.lake.names import labelled_table, records_table, restated_table
from smallbox.lake.predictions import of_versions
from smallbox.lake.schemas import ARROW_TYPES, record_schema
from smallbox.ports import Between, Lake
from smallbox.table_columns import JOINED_AS_OF, LABEL_COLUMNS, SETTLES_FROM

_COLUMNS: Final = ("id", "key", "time", "event_time", "version", "status", "label_known_at", JOINED_AS_OF, SETTLES_FROM)


@dataclass(frozen=True, slots=True)
class Late:
    """What a join found of new outcomes.

    Attributes:
        restated: settled predictions of which they say something else.
        unmatched: keys with a new outcome, and no prediction in the last 90 days.
    """

    restated: int
    unmatched: int


def outcomes_of(project: Project, lake: Lake, label: Label, asked: pa.Table, known: Between) -> pa.Table:
    """Every version of the outcomes of these predictions in a range of ``known_at``, in order."""
    own, theirs = matched_by(label, asked)
    source = project.source(label.source_name)
    columns = _outcome_columns(label)
    rows = lake.read(records_table(source), columns, known, asked[own], key=theirs, schema=record_schema(source))
    return history(record_schema(source).empty_table().select(columns) if rows is None else rows)


def _outcome_columns(label: Label) -> list[str]:
    fields = (label.on, label.value, *((label.prediction,) if label.prediction else ()))
    return list(dict.fromkeys(("key", "known_at", "received_at", "digest", *fields)))


class Restating:
    """The part of the join that comes after the settled windows.

    Args:
        project: whose sources.
        lake: the tables.
        model: the model.
        label_of: the label that a version of it predicts.
    """

    def __init__(self, project: Project, lake: Lake, model: Model, label_of: Callable[[Model, int], Label]) -> None:
        self._project, self._lake, self._model, self._label_of = project, lake, model, label_of

    def run(self, labels: Sequence[Label], since: Since) -> Late:
        """Write the restatements of the outcomes since the last join; running it again changes nothing."""
        found = [self._of(label, since) for label in labels]
        restated = pa.concat_tables([rows for rows, _ in found])
        table, between = restated_table(self._model.name), Between(JOINED_AS_OF, since.start + 1, since.as_of + 1)
        if restated.num_rows or self._lake.version(table) is not None:
            self._lake.replace(table, restated, between)
        return Late(restated.num_rows, sum(unmatched for _, unmatched in found))

    def _of(self, label: Label, since: Since) -> tuple[pa.Table, int]:
        asked = "id" if label.prediction else "key"
        keys = self._new(label, since)
        rows = self._settled(label, keys, asked, since)
        matched = pc.unique(rows[asked].combine_chunks())
        unmatched = len(keys) - pc.sum(pc.is_in(keys, value_set=matched)).as_py() if len(keys) else 0
        known = Between("known_at", since.as_of - 2 * (REMEMBERED + label.within_micros), since.as_of + 1)
        closed = pc.less_equal(pc.add(rows["event_time"], label.within_micros), since.as_of)
        numbers = [n for n in pc.unique(rows["version"]).to_pylist() if self._label_of(self._model, n) == label]
        rows = of_versions(rows.filter(closed), numbers)
        return restatements(label, rows, outcomes_of(self._project, self._lake, label, rows, known), since), unmatched

    def _new(self, label: Label, since: Since) -> pa.Array:
        """The keys, or ids of predictions, of which an outcome is new."""
        source, field = self._project.source(label.source_name), label.prediction or label.on
        columns, schema = _outcome_columns(label), record_schema(source)
        ranges = (Between(name, since.start + 1, since.as_of + 1) for name in ("known_at", "received_at"))
        read = (self._lake.read(records_table(source), columns, one, schema=schema) for one in ranges)
        found = [rows.filter(pa.array(since.is_new(rows)))[field] for rows in read if rows is not None]
        return pc.unique(pa.chunked_array([c for one in found for c in one.chunks], pa.string())).drop_null()

    def _settled(self, label: Label, keys: pa.Array, column: str, since: Since) -> pa.Table:
        """The predictions of these keys, or of these ids, that new outcomes still reach."""
        name = label.objective.label_column
        types = {name: ARROW_TYPES[LABEL_COLUMNS[name]]}
        reached = Between(SETTLES_FROM, since.as_of - REMEMBERED - label.within_micros, since.as_of)
        schema = pa.schema([(name, types[name])])
        rows = self._lake.read(
            labelled_table(self._model.name),
            [*_COLUMNS, name],
            reached,
            pa.chunked_array([keys]),
            key=column,
            schema=schema,
        )
        if rows is not None:
            return rows.filter(pc.less_equal(rows[JOINED_AS_OF], since.as_of))
        empty = {one: pa.array([], pa.string() if one in ("id", "key", "status") else pa.int64()) for one in _COLUMNS}
        return pa.table({**empty, name: pa.array([], types[name])})
