"""The results of a replay, read back from the lake and the registry, for the table and the report."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.arrays import Bools, Floats, Ints
from smallbox.aws.blobs import S3Blobs
from smallbox.aws.delta_lake import DeltaLake
from smallbox.aws.documents import DynamoDocuments
from smallbox.cli.replay.span import Span
from smallbox.cli.system import System
from smallbox.define.model import Model
from smallbox.define.project import load
from smallbox.labels.join import LABELLED
from smallbox.lake.names import labelled_table
from smallbox.lake.predictions import PredictionLog, of_signature
from smallbox.monitoring.skew import Skew, compare_served, recomputed_inputs
from smallbox.objectives.binary import measure
from smallbox.ports import Between, Lake
from smallbox.registry.scorer import Scorer
from smallbox.registry.signatures import Signatures
from smallbox.registry.store import Registry
from smallbox.times import DAY, WEEK, Micros, day_of, parse_moment


@dataclass(frozen=True, slots=True)
class Period:
    """Metrics of a week or a day of labelled predictions.

    Attributes:
        start: its first day.
        served: metrics of the served scores.
        recomputed: metrics of scores recomputed from the lake's features.
    """

    start: str
    served: Mapping[str, Any]
    recomputed: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Evidence:
    """The results that the verdicts and the report are based on.

    Attributes:
        served: the number of feature values served.
        unequal: the number of those that differ, bit for bit, from a batch recomputation as of the same moment (skew).
        largest_score_gap: the largest absolute difference between a served and a recomputed score.
        predictions: the number of online predictions in the log.
        labels: the number of those with a label.
        statuses: the number of predictions by label status.
        weeks: metrics by week.
        days: metrics by day.
        scores: the labelled scores.
        outcomes: their labels.
        versions: the registry's versions.
        history: the model's events since the start of the replay.
    """

    served: int
    unequal: int
    largest_score_gap: float
    predictions: int
    labels: int
    statuses: Mapping[str, int]
    weeks: Sequence[Period]
    days: Sequence[Period]
    scores: Floats
    outcomes: Bools
    versions: Sequence[Mapping[str, Any]]
    history: Sequence[Mapping[str, Any]]


def lake_of(system: System) -> DeltaLake:
    """The running system's lake, accessed with the root's credentials."""
    options = {**system.stack.environment(), "allow_http": "true", "aws_conditional_put": "etag"}
    return DeltaLake(f"s3://{system.outputs['LakeBucket']}/tables", options)


def signatures_of(system: System) -> Signatures:
    """The signatures of the running system's versions, read with the root's credentials."""
    documents = DynamoDocuments(system.outputs["RegistryTable"], system.client("dynamodb"))
    return Signatures(load(), Registry(documents), S3Blobs(system.outputs["LakeBucket"], system.client("s3")))


def gather(system: System, model: Model, lake: Lake, span: Span) -> Evidence:
    """Read the results back, and recompute the served features and scores from the lake."""
    rows = PredictionLog(lake).read(model.name, Between("time", span.start, span.end + 1))
    rows = rows.filter(pc.equal(rows["channel"], "online")).sort_by([("id", "ascending")])
    audit = _audited(system, model, lake, rows)
    scores = audit.scores
    labelled = _labelled(model, lake, rows)
    at = np.flatnonzero(np.asarray(labelled["status"]) == LABELLED)
    known = labelled.take(pa.array(at))
    outcomes = known["label"].to_numpy().astype(bool)
    given = known["score"].to_numpy()
    history = system.request("GET", f"/models/{model.name}/history")["history"]
    time = known["time"].to_numpy()
    return Evidence(
        served=sum(skew.values for skew in audit.skews),
        unequal=sum(skew.unequal for skew in audit.skews),
        largest_score_gap=float(np.abs(scores - rows["score"].to_numpy()).max(initial=0.0)),
        predictions=rows.num_rows,
        labels=len(at),
        statuses={s["values"]: s["counts"] for s in pc.value_counts(labelled["status"]).to_pylist()},
        weeks=_periods(time, span.start, WEEK, given, scores[at], outcomes),
        days=_periods(time, span.start, DAY, given, scores[at], outcomes),
        scores=given,
        outcomes=outcomes,
        versions=system.request("GET", f"/models/{model.name}/versions")["versions"],
        history=[event for event in history if parse_moment(event["at"]) >= span.start],
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Audit:
    """The rows recomputed by the definition of the version that answered each: skew by version, and the scores."""

    skews: Sequence[Skew]
    scores: Floats


def _audited(system: System, model: Model, lake: Lake, rows: pa.Table) -> _Audit:
    signatures, versions = signatures_of(system), rows["version"].to_numpy()
    skews, scores = [], rows["score"].to_numpy().copy()
    for version in system.request("GET", f"/models/{model.name}/versions")["versions"]:
        of_version = versions == version["number"]
        if of_version.any():
            signature = signatures.of(model.name, version["number"])
            own = of_signature(rows.filter(pa.array(of_version)), signature)
            inputs = recomputed_inputs(signature, lake, own)
            skews.append(compare_served(signature, own, inputs))
            scores[of_version] = _scorer(system, version).score(inputs.numeric, inputs.categorical)
    return _Audit(skews, scores)


def _scorer(system: System, version: Mapping[str, Any]) -> Scorer:
    bucket = system.outputs["LakeBucket"]
    content = system.client("s3").get_object(Bucket=bucket, Key=version["onnx_key"])["Body"].read()
    return Scorer(content, version["onnx_sha256"])


def _labelled(model: Model, lake: Lake, rows: pa.Table) -> pa.Table:
    """The labels of the logged rows, in their order; status ``absent`` for rows not joined yet."""
    labelled = lake.read(labelled_table(model.name), ["id", "label", "status"])
    if labelled is None:
        labelled = pa.table({"id": pa.array([], pa.string()), "label": pa.array([], pa.bool_()), "status": []})
    at = pc.index_in(rows["id"].combine_chunks(), value_set=labelled["id"].combine_chunks())
    status = pc.fill_null(labelled["status"].combine_chunks().cast(pa.string()).take(at), "absent")
    label = labelled["label"].combine_chunks().take(at)
    return rows.select(["id", "time", "score"]).append_column("label", label).append_column("status", status)


def _periods(
    time: Ints, start: Micros, length: Micros, served: Floats, recomputed: Floats, outcomes: Bools
) -> list[Period]:
    periods = []
    for number in range(math.ceil((time.max() + 1 - start) / length) if len(time) else 0):
        first = start + number * length
        inside = (time >= first) & (time < first + length)
        figures = (measure(scores[inside], outcomes[inside]) for scores in (served, recomputed))
        periods.append(Period(day_of(first), *figures))
    return periods
