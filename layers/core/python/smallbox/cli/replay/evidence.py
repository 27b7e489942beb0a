"""The results of a replay, read back from the lake and the registry, for the table and the report."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.arrays import Floats, Ints
from smallbox.aws.blobs import S3Blobs
from smallbox.aws.delta_lake import DeltaLake
from smallbox.aws.documents import DynamoDocuments
from smallbox.cli.replay.span import Span
from smallbox.cli.system import System
from smallbox.define.model import Model
from smallbox.define.project import load
from smallbox.documents.metrics import Metrics
from smallbox.features.inputs.recomputed import recomputed_inputs
from smallbox.labels.join import LABELLED
from smallbox.labels.table import scored_rows
from smallbox.lake.names import labelled_table
from smallbox.lake.predictions import PredictionLog, of_signature
from smallbox.lake.schemas import labelled_schema
from smallbox.monitoring.skew import Skew, compare_served
from smallbox.objectives.measure import measure
from smallbox.objectives.objective import Objective, Scored
from smallbox.ports import Between, Lake
from smallbox.registry.scorer import Scorer
from smallbox.registry.signatures import Signatures
from smallbox.registry.store import Registry
from smallbox.table_columns import is_scored
from smallbox.times import DAY, WEEK, Micros, day_of, parse_moment


@dataclass(frozen=True, slots=True)
class Period:
    """Metrics of a week or a day of labelled predictions.

    Attributes:
        start: its first day.
        served: metrics of the served outputs.
        recomputed: metrics of outputs recomputed from the lake's features.
    """

    start: str
    served: Metrics
    recomputed: Metrics


@dataclass(frozen=True, slots=True)
class Evidence:
    """The results that the verdicts and the report are based on.

    Attributes:
        served: the number of feature values served.
        unequal: the number of those that differ, bit for bit, from a batch recomputation as of the same moment (skew).
        largest_gap: the largest absolute difference between a served and a recomputed output.
        predictions: the number of online predictions in the log.
        labels: the number of those with a label.
        statuses: the number of predictions by label status.
        weeks: metrics by week.
        days: metrics by day.
        scored: the labelled predictions, as served.
        versions: the registry's versions.
        history: the model's events since the start of the replay.
        incidents: those that a day of the replay opened, each with its story.
        releases: those of the versions that a shadow or a canary looked at, each with its story.
        exposure: what the report of the last day says of what was shown, in sentences.
    """

    served: int
    unequal: int
    largest_gap: float
    predictions: int
    labels: int
    statuses: Mapping[str, int]
    weeks: Sequence[Period]
    days: Sequence[Period]
    scored: Scored
    versions: Sequence[Mapping[str, Any]]
    history: Sequence[Mapping[str, Any]]
    incidents: Sequence[Mapping[str, Any]] = ()
    releases: Sequence[Mapping[str, Any]] = ()
    exposure: Sequence[str] = ()


def lake_of(system: System) -> DeltaLake:
    """The running system's lake, accessed with the root's credentials."""
    options = {**system.stack.environment(), "allow_http": "true", "aws_conditional_put": "etag"}
    return DeltaLake(f"s3://{system.outputs['LakeBucket']}/tables", options)


def signatures_of(system: System) -> Signatures:
    """The signatures of the running system's versions, read with the root's credentials."""
    documents = DynamoDocuments(system.outputs["RegistryTable"], system.client("dynamodb"))
    return Signatures(load(), Registry(documents), S3Blobs(system.outputs["LakeBucket"], system.client("s3")))


def gather(system: System, model: Model, lake: Lake, span: Span, last_day: str | None) -> Evidence:
    """Read the results back, and recompute the served features and scores from the lake.

    Args:
        system: the running system.
        model: the model that was replayed.
        lake: the system's lake.
        span: the days of the replay.
        last_day: the last day that was checked, ``YYYY-MM-DD``; ``None`` without one.
    """
    rows = PredictionLog(lake).read(model.name, Between("time", span.start, span.end + 1))
    rows = rows.filter(pc.equal(rows["channel"], "online")).sort_by([("id", "ascending")])
    audit = _audited(system, model, lake, rows)
    labelled = _labelled(model, lake, rows)
    at = np.flatnonzero(np.asarray(labelled["status"]) == LABELLED)
    known = labelled.take(pa.array(at))
    given = scored_rows(model.objective, known)
    recomputed = given.beside(audit.outputs[at])
    history = system.request("GET", f"/models/{model.name}/history")["history"]
    time = known["time"].to_numpy()
    return Evidence(
        served=sum(skew.values for skew in audit.skews),
        unequal=sum(skew.unequal for skew in audit.skews),
        largest_gap=float(np.abs(audit.outputs - _outputs(model, rows)).max(initial=0.0)),
        predictions=rows.num_rows,
        labels=len(at),
        statuses={s["values"]: s["counts"] for s in pc.value_counts(labelled["status"]).to_pylist()},
        weeks=_periods(model.objective, time, span.start, WEEK, given, recomputed),
        days=_periods(model.objective, time, span.start, DAY, given, recomputed),
        scored=given,
        versions=system.request("GET", f"/models/{model.name}/versions")["versions"],
        history=[event for event in history if parse_moment(event["at"]) >= span.start],
        incidents=[
            one
            for one in system.request("GET", f"/models/{model.name}/incidents")["incidents"]
            if one["opened"] >= day_of(span.start)
        ],
        releases=_releases(system, model.name, history),
        exposure=_exposure(system, model.name, last_day),
    )


def _exposure(system: System, model: str, day: str | None) -> Sequence[str]:
    report = {} if day is None else system.request("GET", f"/models/{model}/metrics/{day}")
    said: Sequence[str] = report.get("exposure", {}).get("sentences", ())
    return said


def _releases(system: System, model: str, history: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    begun = {event["version"] for event in history if event["event"] in {"shadow", "challenger"}}
    stories = [system.release_story(model, version) for version in sorted(begun)]
    return [story for story in stories if story["looks"]]


@dataclass(frozen=True, slots=True, eq=False)
class _Audit:
    """The rows recomputed by the definition of the version that answered each: skew by version, and the outputs."""

    skews: Sequence[Skew]
    outputs: Floats


def _audited(system: System, model: Model, lake: Lake, rows: pa.Table) -> _Audit:
    signatures, versions = signatures_of(system), rows["version"].to_numpy()
    skews, outputs = [], _outputs(model, rows)
    for version in system.request("GET", f"/models/{model.name}/versions")["versions"]:
        of_version = versions == version["number"]
        if of_version.any():
            signature = signatures.of(model.name, version["number"])
            own = of_signature(rows.filter(pa.array(of_version)), signature)
            inputs = recomputed_inputs(signature, lake, own)
            skews.append(compare_served(signature, own, inputs))
            outputs[of_version] = _scorer(system, version).score(inputs.numeric, inputs.categorical)
    return _Audit(skews, outputs)


def _outputs(model: Model, rows: pa.Table) -> Floats:
    return np.column_stack([rows[name].to_numpy() for name in model.objective.outputs])


def _scorer(system: System, version: Mapping[str, Any]) -> Scorer:
    bucket = system.outputs["LakeBucket"]
    content = system.client("s3").get_object(Bucket=bucket, Key=version["onnx_key"])["Body"].read()
    return Scorer(content, version["onnx_sha256"])


def _labelled(model: Model, lake: Lake, rows: pa.Table) -> pa.Table:
    """The labels of the logged rows, in their order; status ``absent`` for rows not joined yet."""
    name, schema = model.objective.label_column, labelled_schema(model.objective)
    labelled = lake.read(labelled_table(model.name), ["id", name, "status"], schema=schema)
    if labelled is None:
        labelled = schema.empty_table()
    at = pc.index_in(rows["id"].combine_chunks(), value_set=labelled["id"].combine_chunks())
    status = pc.fill_null(labelled["status"].combine_chunks().cast(pa.string()).take(at), "absent")
    label = labelled[name].combine_chunks().take(at)
    kept = ["id", "time", *(column for column in rows.column_names if is_scored(column))]
    return rows.select(kept).append_column(name, label).append_column("status", status)


def _periods(
    objective: Objective, time: Ints, start: Micros, length: Micros, served: Scored, recomputed: Scored
) -> list[Period]:
    periods = []
    for number in range(math.ceil((time.max() + 1 - start) / length) if len(time) else 0):
        first = start + number * length
        inside = (time >= first) & (time < first + length)
        figures = (measure(objective, scored.take(inside)) for scored in (served, recomputed))
        periods.append(Period(day_of(first), *figures))
    return periods
