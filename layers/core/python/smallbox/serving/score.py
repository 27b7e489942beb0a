"""Batch predictions: a file of requests in, a file of predictions out, with features from the lake."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO, Final

import numpy as np
import pyarrow as pa

from smallbox.define.log_columns import logged_types
from smallbox.define.model import Model
from smallbox.define.project import Project
from smallbox.error_codes import error_body
from smallbox.errors import MalformedBody, SmallboxError
from smallbox.features.inputs.point_in_time_join import historical_features
from smallbox.ingestion.contract import check_all
from smallbox.ingestion.readers import read_batches
from smallbox.lake.names import predictions_table
from smallbox.lake.parquet import to_parquet
from smallbox.lake.predictions import logged_table
from smallbox.ports import Blobs, Lake
from smallbox.records import Record, Rejection
from smallbox.registry.loader import ModelLoader
from smallbox.serving.logged_answers import Answered, Asked, logged
from smallbox.serving.sticky_assignment import Share, shares_of
from smallbox.serving.vectors import entities_by_view, vectors_of
from smallbox.table_columns import is_scored
from smallbox.times import Micros

_PARTS: Final = 4


@dataclass(frozen=True, slots=True)
class ScoreReport:
    """The result of scoring a file.

    Attributes:
        key: the file's key.
        folder: where its predictions are.
        model: the model that scored it.
        scored: rows with a prediction.
        rejected: how many rows break the contract.
        rejections: index, field, rule, value and message of the first hundred of them.
    """

    key: str
    folder: str
    model: str
    scored: int
    rejected: int
    rejections: list[dict[str, Any]]


def model_of(key: str) -> str:
    """The model that scores a file, from its key ``score/<model>/in/<file>``.

    >>> model_of("score/late_arrival/in/monday.csv")
    'late_arrival'

    Raises:
        MalformedBody: when the key has no such form.
    """
    parts = key.split("/")
    if len(parts) < _PARTS or parts[0] != "score" or parts[2] != "in":
        raise MalformedBody(f"{key!r} is not of the form score/<model>/in/<file>; drop it there", key=key)
    return parts[1]


def is_request(key: str) -> bool:
    """Whether a key lies under a model's ``in/``: the trigger's wildcard also matches outputs under a folder ``in``.

    >>> is_request("score/m/in/a.csv"), is_request("score/m/out/in/a.csv/report.json")
    (True, False)
    """
    return key.split("/")[2:3] == ["in"]


def out_folder(key: str) -> str:
    """The folder of a file's predictions.

    >>> out_folder("score/late_arrival/in/2013/monday.csv")
    'score/late_arrival/out/2013/monday.csv'
    """
    _, model, _, *rest = key.split("/")
    return "/".join(["score", model, "out", *rest])


class ScoreTask:
    """Scores one dropped file at a time. It is idempotent: the same content gives the same file and the same ids."""

    def __init__(self, project: Project, lake: Lake, loader: ModelLoader, inbox: Blobs) -> None:
        self._project = project
        self._lake = lake
        self._loader = loader
        self._inbox = inbox

    def score(self, key: str, content: BinaryIO, tag: str, now: Micros) -> ScoreReport | None:
        """Score every row as of its own event time, or of the present when that lies ahead.

        A key outside ``in/``, such as an output, is ignored: ``None``. The tag distinguishes contents under the same
        key, so that the predictions of each are logged under ids of their own.

        Writes ``score/<model>/out/<file>/predictions.parquet``, ``report.json`` and, last, ``_SUCCESS``.
        """
        if not is_request(key):
            return None
        model = self._project.model(model_of(key))
        records, rejections = self._read(model, key, content, now)
        table = self._table(model, f"{key}@{tag}", records, now)
        self._lake.append(predictions_table(model.name), table)
        report = ScoreReport(
            key, out_folder(key), model.name, table.num_rows, len(rejections), [r.as_json() for r in rejections[:100]]
        )
        self._write(key, table, report)
        return report

    def refuse(self, key: str, error: SmallboxError) -> None:
        """Write the report of a file that cannot be scored."""
        self._inbox.put(f"{out_folder(key)}/report.json", json.dumps({"key": key, **error_body(error)}).encode())

    def _read(self, model: Model, key: str, content: BinaryIO, now: Micros) -> tuple[list[Record], list[Rejection]]:
        records: list[Record] = []
        rejections: list[Rejection] = []
        for first, rows in read_batches(key, content, model.request):
            good, bad = check_all(model.request, rows, now, first)
            records += good
            rejections += bad
        return records, rejections

    def _table(self, model: Model, batch: str, records: Sequence[Record], now: Micros) -> pa.Table:
        """The log's rows of a file, in its order."""
        shares = shares_of(self._loader.routing(model.name), [model.assigned_by(record.values) for record in records])
        if not shares:
            return logged_table(logged_types(model), {"id": []})
        tables = [self._of_share(model, share, batch, records, now) for share in shares]
        order = np.argsort(np.concatenate([share.rows for share in shares]))
        return pa.concat_tables(tables, promote_options="default").take(order)

    def _of_share(self, model: Model, share: Share, batch: str, records: Sequence[Record], now: Micros) -> pa.Table:
        version, own = self._loader.version(model.name, share.version), [records[row] for row in share.rows]
        signature = version.signature
        as_of = np.array([min(record.time, now) for record in own], np.int64)
        instances: list[Mapping[str, Any]] = [record.values for record in own]
        entities = entities_by_view(signature, instances)
        vectors = vectors_of(
            signature, instances, entities, historical_features(signature, self._lake, entities, as_of)
        )
        outputs = version.scorer.score(vectors.inputs.numeric, vectors.inputs.categorical)
        answered = Answered(signature, vectors, outputs, share.arm, version.number)
        log = logged(Asked(instances, [f"{batch}-{row}" for row in share.rows], as_of, now, "batch"), answered)
        return logged_table(log.types, log.columns)

    def _write(self, key: str, table: pa.Table, report: ScoreReport) -> None:
        folder = out_folder(key)
        outputs = [name for name in table.column_names if is_scored(name)]
        answers = table.select(["key", "time", *outputs, "version", "arm"])
        self._inbox.put(f"{folder}/predictions.parquet", to_parquet(answers))
        self._inbox.put(f"{folder}/report.json", json.dumps(asdict(report)).encode())
        self._inbox.put(f"{folder}/_SUCCESS", b"")
