"""The point-in-time dataset: what the model would have been asked, with what it would have seen, and what came true."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.define.model import Model
from smallbox.define.project import Project
from smallbox.define.source import Source
from smallbox.features.columns import entities_of
from smallbox.features.inputs.assembly import Inputs, assemble, check_rows_apart
from smallbox.features.inputs.historical import historical_features, sent_in
from smallbox.labels.join import ASKED_LATE, LABELLED, UNLABELLED, join_labels
from smallbox.lake.history import history
from smallbox.lake.names import records_table
from smallbox.lake.schemas import record_schema
from smallbox.ports import Between, Lake
from smallbox.times import Micros

MOST_SILENT: Final = 2_000
"""How many requests without a label are kept, to be compared with the others."""

_EVER: Final[Micros] = -(2**62)
_IN_TIME: Final = [("time", "ascending"), ("key", "ascending")]


@dataclass(frozen=True, slots=True)
class Dataset:
    """Rows to train on, and what was left out.

    Attributes:
        rows: ``key``, ``time``, the model's columns (numeric ones float32, texts without nulls), ``label`` and
            ``label_known_at``, in the order of (time, key).
        requests: how many requests there were in the window.
        unlabelled: how many of them have no label: left out, never negative.
        asked_late: how many had an outcome before they could be asked about: left out too.
        silent: some of the unlabelled ones, evenly spaced, with the columns of ``rows``; their labels are null.
    """

    rows: pa.Table
    requests: int
    unlabelled: int
    asked_late: int
    silent: pa.Table


@dataclass(frozen=True, slots=True)
class Split:
    """Which rows train and which judge, as masks over the dataset.

    Attributes:
        train: rows whose whole attribution window was over when the validation period began.
        validation: the last part, in time order.
        embargoed: how many rows lie between the two, and so are in neither.
    """

    train: npt.NDArray[np.bool_]
    validation: npt.NDArray[np.bool_]
    embargoed: int


def _versions(lake: Lake, source: Source, as_of: Micros) -> pa.Table:
    """Every version of a source's records that was known by a moment."""
    rows = lake.read(records_table(source), None, Between("known_at", _EVER, as_of + 1))
    return history(record_schema(source).empty_table() if rows is None else rows)


def _as_asked(versions: pa.Table) -> pa.Table:
    """Of each key the version that counted at its own event time: what a caller would have sent.

    A record that became known only later has the first of its versions.
    """
    keys, time = versions["key"].combine_chunks(), versions["time"]
    first = np.unique(np.asarray(keys.dictionary_encode().indices), return_index=True)[1]
    is_first = np.isin(np.arange(len(keys)), first)
    begun = pc.or_(pc.less_equal(versions["known_at"], time), pa.array(is_first))
    asked = versions.filter(pc.and_(begun, pc.greater(versions["superseded_at"], time)))
    return asked.drop_columns(["superseded_at"])


def build_dataset(project: Project, model: Model, lake: Lake, as_of: Micros) -> Dataset:
    """The dataset of a model as of a moment: requests of its training window, with features and labels.

    Inputs and features are those of the request's own moment, from what was known then. Only requests whose attribution
    window is over by ``as_of`` are taken: among the newest, those with an early label are not like the others.
    """
    requests = _as_asked(_versions(lake, model.request, as_of))
    time = requests["time"]
    closed = as_of - model.label.within_micros
    inside = pc.and_(pc.greater_equal(time, as_of - model.retrain.window_micros), pc.less(time, closed))
    asked = requests.filter(inside)
    asked = asked.append_column("event_time", asked["time"])
    outcomes = _versions(lake, project.source(model.label.source_name), as_of)
    joined = join_labels(model.label, asked, outcomes, as_of)
    status = joined["status"]
    known, silent = (joined.filter(pc.equal(status, one)).sort_by(_IN_TIME) for one in (LABELLED, UNLABELLED))
    late = pc.sum(pc.equal(status, ASKED_LATE)).as_py() or 0
    # one table: the features of both come from one reading of the lake
    taken = pa.concat_tables([known, evenly(silent, MOST_SILENT)])
    rows = _with_columns(model, taken, inputs_of(model, lake, taken))
    return Dataset(rows[: len(known)], len(asked), len(silent), late, rows[len(known) :])


def evenly(rows: pa.Table, most: int) -> pa.Table:
    """At most so many of the rows, evenly spaced.

    >>> evenly(pa.table({"n": range(10)}), 4)["n"].to_pylist()
    [0, 2, 5, 7]
    """
    size = min(most, rows.num_rows)
    return rows.take(np.arange(size) * rows.num_rows // max(size, 1))


def inputs_of(model: Model, lake: Lake, requests: pa.Table) -> Inputs:
    """The model's inputs for records of its request, each as of its own moment.

    Raises:
        DefinitionError: when an on-demand feature looks at more than its own row.
    """
    entities = {view.name: entities_of(view, requests) for view in model.views}
    stored = historical_features(model, lake, entities, requests["time"].to_numpy())
    sent = sent_in(model, requests)
    check_rows_apart(model, sent, stored)
    return assemble(model, sent, stored)


def _with_columns(model: Model, rows: pa.Table, inputs: Inputs) -> pa.Table:
    columns = {"key": rows["key"], "time": rows["time"]}
    for name, numbers in zip(model.columns.numeric, inputs.numeric.T, strict=True):
        columns[name] = pa.array(numbers.astype(np.float32), pa.float32(), from_pandas=False)
    for name, texts in zip(model.columns.categorical, inputs.categorical.T, strict=True):
        columns[name] = pa.array(texts, pa.string())
    return pa.table({**columns, "label": rows["label"], "label_known_at": rows["label_known_at"]})


def split_by_time(rows: pa.Table, end: Micros, validation: Micros, within: Micros) -> Split:
    """Split by time, with an embargo: nothing that became known in the validation period trains.

    The embargo is one attribution window long for every row, however early its label became known. To train on those
    that were early would be to choose the rows by their label: where frauds are reported in a day and good payments
    settle in a week, the last week would have nothing but frauds.

    Args:
        rows: the dataset's.
        end: the end of the validation period: where the attribution windows are over.
        validation: its length.
        within: the length of the attribution window.
    """
    start = end - validation
    time = rows["time"].to_numpy()
    before, train = time < start, time < start - within
    return Split(train, ~before, int((before & ~train).sum()))
