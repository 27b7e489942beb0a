"""The point-in-time dataset: past requests, each with the features of its own moment and the label that followed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.arrays import Ints
from smallbox.define.model import Model
from smallbox.define.project import Project
from smallbox.define.signature import Signature
from smallbox.features.columns import entities_of
from smallbox.features.inputs.assembly import Inputs, assemble, check_rows_apart
from smallbox.features.inputs.point_in_time_join import historical_features, request_arrays_of_table
from smallbox.labels.join import ASKED_LATE, LABELLED, UNLABELLED, join_labels
from smallbox.lake.history import FOREVER, history
from smallbox.lake.names import records_table
from smallbox.lake.partial_histories import PartialHistories
from smallbox.lake.schemas import record_schema
from smallbox.lake.spans import ROWS_AT_ONCE, spans_of
from smallbox.ports import Between, Lake
from smallbox.table_columns import GROUP
from smallbox.times import Micros

MAX_SILENT: Final = 2_000
"""Sample size of the unlabelled requests that are stored, to be compared with the labelled ones."""

_RESERVED: Final = ("key", "time", "known_at", "received_at", "digest")
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


@dataclass(frozen=True, slots=True)
class DatasetPart:
    """The requests of a range of time, as :class:`Dataset` has all of them."""

    rows: pa.Table
    silent: pa.Table
    compared: pa.Table | None


class DatasetParts:
    """The dataset of a model as of a moment, built part by part in the order of time, so that memory holds one part.

    It is a point-in-time join of requests, features and labels. Inputs and features are as of the request's event time,
    from what was known then. Only requests whose attribution window is over by ``as_of`` are taken: the newer ones that
    already have a label are not representative.

    The labels of all requests are joined first, since the sample of the unlabelled ones depends on their number. They
    are kept, 20 bytes a request.

    Args:
        project: has the label's source.
        model: the model.
        lake: the records.
        as_of: the moment, in microseconds.
        other: another signature whose inputs are computed for the validation rows too.
        most: about how many requests a part has.
    """

    def __init__(
        self,
        project: Project,
        model: Model,
        lake: Lake,
        as_of: Micros,
        other: Signature | None = None,
        most: int = ROWS_AT_ONCE,
    ) -> None:
        self._model, self._as_of, self._other = model, as_of, other
        self._histories = PartialHistories(lake)
        self._labels = project.source(model.label.source_name)
        self._closed = as_of - model.label.within_micros
        window = Between("time", as_of - model.retrain.window_micros, self._closed)
        asked = self._histories.lake.slices(records_table(model.request), between=window, columns=["time"])
        self._spans = spans_of((rows["time"].to_numpy() for rows in asked), window, most)
        self._joined = [self._join(span) for span in self._spans]

    @property
    def requests(self) -> int:
        """The number of requests in the window."""
        return sum(len(joined) for joined in self._joined)

    @property
    def is_compared(self) -> bool:
        """Whether the inputs of another signature are computed too."""
        return self._other is not None

    def count(self, status: str) -> int:
        """How many of them have a status of the label join."""
        return sum(len(_of_status(joined, status)) for joined in self._joined)

    def __iter__(self) -> Iterator[DatasetPart]:
        """The parts; at least one, which may have no rows."""
        chosen, before = evenly(self.count(UNLABELLED), MAX_SILENT), 0
        for span, joined in zip(self._spans, self._joined, strict=True):
            silent = _of_status(joined, UNLABELLED)
            own = chosen[(chosen >= before) & (chosen < before + len(silent))] - before
            before += len(silent)
            yield self._part(span, joined, silent[own])

    def _part(self, span: Between, joined: pa.Table, silent: Ints) -> DatasetPart:
        asked, known = self._asked(span, self._columns()), _of_status(joined, LABELLED)
        # one table: the features of both need one read of the lake
        taken = np.concatenate((known, silent))
        chosen = asked.take(pa.array(taken))
        rows = _with_group(self._model, self._with_inputs(self._model, chosen), chosen)
        rows = _with_labels(rows, joined.take(pa.array(taken)))
        held_out = known[asked["time"].to_numpy()[known] >= self._closed - self._model.retrain.validation_micros]
        compared = self._other and self._with_inputs(self._other, asked.take(pa.array(held_out)))
        return DatasetPart(rows[: len(known)], rows[len(known) :], compared)

    def _asked(self, span: Between, columns: Sequence[str]) -> pa.Table:
        """The requests of a range of time, in order."""
        versions = self._histories.between(self._model.request, columns, span.start, span.end, self._as_of)
        asked = _as_asked(versions)
        time = asked["time"]
        inside = pc.and_(pc.greater_equal(time, span.start), pc.less(time, span.end))
        return asked.filter(inside).sort_by(_IN_TIME)

    def _columns(self) -> list[str]:
        """The columns of the requests' records that the inputs need."""
        fields = list(_RESERVED)
        for one in (self._model, *((self._other,) if self._other else ())):
            fields += [*one.sent_fields, *(name for view in one.views for name in view.entity_fields)]
        group = self._model.objective.group
        return list(dict.fromkeys([*fields, *((group,) if group else ())]))

    def _join(self, span: Between) -> pa.Table:
        """``label``, ``label_known_at`` and ``status`` of the requests of a range of time, in their order."""
        asked = self._asked(span, _RESERVED).select(["key", "time"])
        asked = asked.append_column("event_time", asked["time"])
        until = min(span.end + self._model.label.within_micros, self._as_of)
        joined = join_labels(self._model.label, asked, self._outcomes(asked["key"], until), self._as_of)
        status = joined["status"].dictionary_encode()
        return joined.select(["label", "label_known_at"]).append_column("status", status).combine_chunks()

    def _outcomes(self, keys: pa.ChunkedArray, until: Micros) -> pa.Table:
        """Every version of the outcomes of these keys that was known by a moment, however old."""
        label, source = self._model.label, self._labels
        columns = list(dict.fromkeys(("key", "known_at", "received_at", "digest", label.on, label.value)))
        schema, known = record_schema(source), Between("known_at", -FOREVER, until + 1)
        rows = self._histories.lake.read(records_table(source), columns, known, keys, key=label.on, schema=schema)
        return history(schema.empty_table() if rows is None else rows)

    def _with_inputs(self, signature: Signature, requests: pa.Table) -> pa.Table:
        """``key``, ``time`` and the columns of a signature."""
        inputs = inputs_of(signature, self._histories.lake, requests, self._histories)
        columns = {"key": requests["key"], "time": requests["time"]}
        for name, numbers in zip(signature.columns.numeric, inputs.numeric.T, strict=True):
            columns[name] = pa.array(numbers.astype(np.float32), pa.float32(), from_pandas=False)
        for name, texts in zip(signature.columns.categorical, inputs.categorical.T, strict=True):
            columns[name] = pa.array(texts, pa.string())
        return pa.table(columns)


def _of_status(joined: pa.Table, status: str) -> Ints:
    return np.flatnonzero(np.asarray(pc.equal(joined["status"], status)))


def build_dataset(project: Project, model: Model, lake: Lake, as_of: Micros, other: Signature | None = None) -> Dataset:
    """The whole dataset of a model as of a moment, in memory; see :class:`DatasetParts`."""
    parts = DatasetParts(project, model, lake, as_of, other)
    built = list(parts)
    compared = [part.compared for part in built if part.compared is not None]
    return Dataset(
        pa.concat_tables(part.rows for part in built),
        parts.requests,
        parts.count(UNLABELLED),
        parts.count(ASKED_LATE),
        pa.concat_tables(part.silent for part in built),
        pa.concat_tables(compared) if compared else None,
    )


def evenly(rows: int, most: int) -> Ints:
    """Positions of at most ``most`` of ``rows`` rows, evenly spaced.

    >>> evenly(10, 4).tolist()
    [0, 2, 5, 7]
    """
    size = min(most, rows)
    return np.arange(size) * rows // max(size, 1)


def inputs_of(
    signature: Signature, lake: Lake, requests: pa.Table, histories: PartialHistories | None = None
) -> Inputs:
    """The inputs for records of the request source, each as of its event time.

    Raises:
        DefinitionError: when an on-demand feature reads more than its own row.
    """
    entities = {view.name: entities_of(view, requests) for view in signature.views}
    stored = historical_features(signature, lake, entities, requests["time"].to_numpy(), histories)
    sent = request_arrays_of_table(signature, requests)
    check_rows_apart(signature, sent, stored)
    return assemble(signature, sent, stored)


def _with_group(signature: Signature, rows: pa.Table, requests: pa.Table) -> pa.Table:
    name = signature.objective.group
    return rows.append_column(GROUP, requests[name]) if name else rows


def _with_labels(rows: pa.Table, joined: pa.Table) -> pa.Table:
    with_label = rows.append_column("label", joined["label"])
    return with_label.append_column("label_known_at", joined["label_known_at"])
