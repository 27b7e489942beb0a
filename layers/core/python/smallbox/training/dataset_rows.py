"""The point-in-time dataset: past requests, each with the features of its own moment and the label that followed."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.arrays import Ints
from smallbox.define.model import Model
from smallbox.define.project import Project
from smallbox.define.signature import Signature
from smallbox.define.source import Source
from smallbox.features.columns import entities_of
from smallbox.features.inputs.assembly import Inputs, assemble, check_rows_apart
from smallbox.features.inputs.point_in_time_join import historical_features, request_arrays_of_table
from smallbox.labels.join import ASKED_LATE, LABELLED, UNLABELLED, join_labels
from smallbox.lake.history import history
from smallbox.lake.names import records_table
from smallbox.lake.schemas import record_schema
from smallbox.ports import Between, Lake
from smallbox.table_columns import GROUP
from smallbox.times import Micros

MAX_SILENT: Final = 2_000
"""Sample size of the unlabelled requests that are stored, to be compared with the labelled ones."""

_EVER: Final[Micros] = -(2**62)
_ROW: Final = "row"
_IN_TIME: Final = [("time", "ascending"), ("key", "ascending")]


@dataclass(frozen=True, slots=True)
class Dataset:
    """Labelled requests, and what was left out.

    Attributes:
        rows: ``key``, ``time`` (microseconds), the model's columns (numeric ones float32, texts without nulls),
            ``label`` and ``label_known_at``, and ``group`` for a ranking, sorted by (time, key).
        requests: number of requests in the window.
        unlabelled: how many of them have no label; they are left out, not taken as negative.
        asked_late: how many had an outcome before the request itself; they are left out too.
        silent: a sample of the unlabelled requests, evenly spaced, with the columns of ``rows``; labels are null.
        compared: the validation rows with the inputs of another signature, in their order: ``key``, ``time`` and its
            columns; ``None`` when there is none to compare with.
    """

    rows: pa.Table
    requests: int
    unlabelled: int
    asked_late: int
    silent: pa.Table
    compared: pa.Table | None = None


def _versions(lake: Lake, source: Source, as_of: Micros) -> pa.Table:
    """The history of a source's records as of a moment."""
    schema = record_schema(source)
    rows = lake.read(records_table(source), None, Between("known_at", _EVER, as_of + 1), schema=schema)
    return history(schema.empty_table() if rows is None else rows)


def _as_asked(versions: pa.Table) -> pa.Table:
    """Of each key the version in force at its event time: what a caller would have sent.

    A record that became known only after its event time counts with its first version.
    """
    keys, time = versions["key"].combine_chunks(), versions["time"]
    first = np.unique(np.asarray(keys.dictionary_encode().indices), return_index=True)[1]
    is_first = np.isin(np.arange(len(keys)), first)
    begun = pc.or_(pc.less_equal(versions["known_at"], time), pa.array(is_first))
    asked = versions.filter(pc.and_(begun, pc.greater(versions["superseded_at"], time)))
    return asked.drop_columns(["superseded_at"])


def build_dataset(project: Project, model: Model, lake: Lake, as_of: Micros, other: Signature | None = None) -> Dataset:
    """The dataset of a model as of a moment: a point-in-time join of requests, features and labels.

    Inputs and features are as of the request's event time, from what was known then. Only requests whose attribution
    window is over by ``as_of`` are taken: the newer ones that already have a label are not representative.

    Args:
        project: has the label's source.
        model: the model.
        lake: the records.
        as_of: the moment, in microseconds.
        other: another signature whose inputs are computed for the validation rows too.
    """
    requests = _as_asked(_versions(lake, model.request, as_of))
    time = requests["time"]
    closed = as_of - model.label.within_micros
    inside = pc.and_(pc.greater_equal(time, as_of - model.retrain.window_micros), pc.less(time, closed))
    asked = requests.filter(inside)
    outcomes = _versions(lake, project.source(model.label.source_name), as_of)
    joined = join_labels(model.label, _moments(asked), outcomes, as_of)
    status = joined["status"]
    known, silent = (joined.filter(pc.equal(status, one)).sort_by(_IN_TIME) for one in (LABELLED, UNLABELLED))
    late = pc.sum(pc.equal(status, ASKED_LATE)).as_py() or 0
    # one table: the features of both need one read of the lake
    taken = pa.concat_tables([known, silent.take(evenly(len(silent), MAX_SILENT))])
    chosen = asked.take(taken[_ROW])
    rows = _with_labels(_with_group(model, _with_inputs(model, lake, chosen), chosen), taken)
    held_out = known.filter(pc.greater_equal(known["time"], closed - model.retrain.validation_micros))
    compared = None if other is None else _with_inputs(other, lake, asked.take(held_out[_ROW]))
    return Dataset(
        rows[: len(known)],
        len(asked),
        len(silent),
        late,
        rows[len(known) :],
        compared,
    )


def _moments(asked: pa.Table) -> pa.Table:
    """Key and moments of each request and its row, without its fields: one may be named as a column of the join."""
    moments = asked.select(["key", "time"]).append_column("event_time", asked["time"])
    return moments.append_column(_ROW, pa.array(np.arange(len(asked))))


def evenly(rows: int, most: int) -> Ints:
    """Positions of at most ``most`` of ``rows`` rows, evenly spaced.

    >>> evenly(10, 4).tolist()
    [0, 2, 5, 7]
    """
    size = min(most, rows)
    return np.arange(size) * rows // max(size, 1)


def inputs_of(signature: Signature, lake: Lake, requests: pa.Table) -> Inputs:
    """The inputs for records of the request source, each as of its event time.

    Raises:
        DefinitionError: when an on-demand feature reads more than its own row.
    """
    entities = {view.name: entities_of(view, requests) for view in signature.views}
    stored = historical_features(signature, lake, entities, requests["time"].to_numpy())
    sent = request_arrays_of_table(signature, requests)
    check_rows_apart(signature, sent, stored)
    return assemble(signature, sent, stored)


def _with_inputs(signature: Signature, lake: Lake, requests: pa.Table) -> pa.Table:
    """``key``, ``time`` and the columns of a signature."""
    inputs = inputs_of(signature, lake, requests)
    columns = {"key": requests["key"], "time": requests["time"]}
    for name, numbers in zip(signature.columns.numeric, inputs.numeric.T, strict=True):
        columns[name] = pa.array(numbers.astype(np.float32), pa.float32(), from_pandas=False)
    for name, texts in zip(signature.columns.categorical, inputs.categorical.T, strict=True):
        columns[name] = pa.array(texts, pa.string())
    return pa.table(columns)


def _with_group(signature: Signature, rows: pa.Table, requests: pa.Table) -> pa.Table:
    name = signature.objective.group
    return rows.append_column(GROUP, requests[name]) if name else rows


def _with_labels(rows: pa.Table, joined: pa.Table) -> pa.Table:
    with_label = rows.append_column("label", joined["label"])
    return with_label.append_column("label_known_at", joined["label_known_at"])
