"""The point-in-time dataset: what the model would have been asked, with what it would have seen, and what came true."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.define.model import Model
from smallbox.define.project import Project
from smallbox.define.source import Source
from smallbox.features.historical import historical_features
from smallbox.features.rows import entities_of
from smallbox.features.window import Floats
from smallbox.feedback.join import LABELLED, join_labels
from smallbox.ingestion.table import latest, name_of, schema
from smallbox.ports import Lake
from smallbox.times import Micros


@dataclass(frozen=True, slots=True)
class Dataset:
    """Rows to train on, and what was left out.

    Attributes:
        rows: ``key``, ``time``, the model's columns (numeric ones float32, texts without nulls), ``label`` and
            ``label_known_at``, in the order of (time, key).
        requests: how many requests there were in the window.
        unlabelled: how many of them have no label: left out, never negative.
    """

    rows: pa.Table
    requests: int
    unlabelled: int


@dataclass(frozen=True, slots=True)
class Split:
    """Which rows train and which judge, as masks over the dataset.

    Attributes:
        train: rows before the validation period whose label was known before it began.
        validation: the last part, in time order.
        embargoed: how many rows before the period became known only within it, and so are in neither.
    """

    train: npt.NDArray[np.bool_]
    validation: npt.NDArray[np.bool_]
    embargoed: int


def read_latest(lake: Lake, source: Source, as_of: Micros) -> pa.Table:
    """The version of every record of a source that counted at a moment."""
    rows = lake.read(name_of(source))
    return latest(schema(source).empty_table() if rows is None else rows, as_of)


def build_dataset(project: Project, model: Model, lake: Lake, as_of: Micros) -> Dataset:
    """The dataset of a model as of a moment: requests of its training window, with features and labels.

    Features are those of the request's own moment, from what was known then; labels those known by ``as_of``.
    """
    requests = read_latest(lake, model.request, as_of)
    time = requests["time"]
    inside = pc.and_(pc.greater_equal(time, as_of - model.retrain.window_micros), pc.less(time, as_of))
    asked = requests.filter(inside)
    outcomes = read_latest(lake, project.source(model.label.source_name), as_of)
    joined = join_labels(model.label, asked, outcomes, as_of)
    known = joined.filter(pc.equal(joined["status"], LABELLED)).sort_by([("time", "ascending"), ("key", "ascending")])
    entities = {view.name: entities_of(view, known).to_pylist() for view in model.views}
    features = historical_features(model, lake, entities, known["time"].to_numpy())
    return Dataset(_with_columns(model, known, features), asked.num_rows, asked.num_rows - known.num_rows)


def _with_columns(model: Model, rows: pa.Table, features: Floats) -> pa.Table:
    columns = {"key": rows["key"], "time": rows["time"]}
    for name in model.columns.numeric:
        if name in model.inputs:
            columns[name] = rows[name].cast(pa.float32())
        else:
            columns[name] = pa.array(features[:, model.feature_names.index(name)], pa.float32(), from_pandas=False)
    for name in model.columns.categorical:
        columns[name] = pc.fill_null(rows[name], "")
    return pa.table({**columns, "label": rows["label"], "label_known_at": rows["label_known_at"]})


def split(rows: pa.Table, as_of: Micros, validation: Micros) -> Split:
    """Split by time, with an embargo: nothing that became known in the validation period trains.

    Args:
        rows: the dataset's.
        as_of: the end of the validation period.
        validation: its length.
    """
    start = as_of - validation
    time, known_at = rows["time"].to_numpy(), rows["label_known_at"].to_numpy()
    before = time < start
    train = before & (known_at < start)
    return Split(train, ~before, int((before & ~train).sum()))
