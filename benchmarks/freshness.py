"""What fresh features are worth: AUC over March of a model of January and February, by what it is served.

The schedule alone, features of the flight's own moment, and features of the day before. No deployment, no replay: the
batch engine on the same records. If serving were wrong, the demonstration's AUC would fall to the lower lines.
"""

import json
import tempfile
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.aws.delta_lake import DeltaLake
from smallbox.cli.demo.flights import known, load_flights
from smallbox.define.model import Model
from smallbox.define.project import Project
from smallbox.define.project import load as load_project
from smallbox.define.rules import Retrain
from smallbox.features.columns import entities_of
from smallbox.features.inputs.assembly import assemble
from smallbox.features.inputs.point_in_time_join import historical_features, request_arrays_of_table
from smallbox.ingestion.contract import check_all
from smallbox.lake.history import valid_at
from smallbox.lake.names import records_table
from smallbox.lake.schemas import records_to_table
from smallbox.statistics.ranking import auc
from smallbox.times import DAY, parse_day
from smallbox.training.dataset_rows import build_dataset
from smallbox.training.examples import examples_of, split_by_time
from smallbox.training.fit_model import fit, outputs_of

FROM, TO = parse_day("2013-03-01"), parse_day("2013-04-01")


def lake_of(project: Project, folder: str) -> DeltaLake:
    """Every record that was known a day after March, in tables under a folder."""
    records, lake = load_flights(), DeltaLake(folder, options={})
    for source in project.sources.values():
        lines = known(source, getattr(records, source.name)).between(0, TO + DAY)
        accepted, _ = check_all(source, [json.loads(line) for line in lines], TO + DAY)
        lake.append(records_table(source), records_to_table(source, accepted))
    return lake


def auc_of(model: Model, train: pa.Table, test: pa.Table) -> float:
    """The AUC on one table of a model fitted on another."""
    learned, judged = (examples_of(model.columns, model.objective, rows) for rows in (train, test))
    scores = outputs_of(model.objective, fit(model, learned).pipelines, judged.inputs)
    return auc(scores[:, 0], judged.labels > 0).value


def a_day_stale(model: Model, lake: DeltaLake, rows: pa.Table) -> pa.Table:
    """The rows with what the store added a day before."""
    requests = valid_at(lake.read(records_table(model.request)), TO + DAY)
    asked = requests.take(pc.index_in(rows["key"].combine_chunks(), value_set=requests["key"].combine_chunks()))
    entities = {view.name: entities_of(view, asked) for view in model.views}
    stored = historical_features(model, lake, entities, asked["time"].to_numpy() - DAY)
    inputs = assemble(model, request_arrays_of_table(model, asked), stored)
    columns = {name: rows[name] for name in rows.column_names}
    columns |= {n: inputs.numeric[:, at].astype(np.float32) for at, n in enumerate(model.columns.numeric)}
    return pa.table(columns)


def main() -> None:
    """Print the table."""
    project = load_project()
    model = replace(project.models["late_arrival"], retrain=Retrain(window="120d", validation="7d"))
    with tempfile.TemporaryDirectory() as folder:
        compare(project, model, lake_of(project, folder))


def compare(project: Project, model: Model, lake: DeltaLake) -> None:
    """Fit on January and February, and print the AUC over March of each kind of serving."""
    rows = build_dataset(project, model, lake, TO + DAY).rows
    parts = split_by_time(rows["time"].to_numpy(), TO, TO - FROM, model.label.within_micros)
    train, test = rows.filter(pa.array(parts.train)), rows.filter(pa.array(parts.validation))
    print(f"fresh features               {auc_of(model, train, test):.3f}")
    print(f"trained fresh, a day stale   {auc_of(model, train, a_day_stale(model, lake, test)):.3f}")
    print(f"schedule alone               {auc_of(replace(model, views=(), on_demand=()), train, test):.3f}")


if __name__ == "__main__":
    main()
