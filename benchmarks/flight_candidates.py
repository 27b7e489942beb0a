"""The champion and five candidates of the late arrivals, and every flight of April with the outputs of each.

Used by the benchmarks of the release ladder. The champion is trained on January and February, as the candidates are:
one until the end of March, one with 20 % and one with 50 % of its labels shuffled, one without the windows of 7 days,
and one with the schedule alone. Each is made twice: by the estimator alone, and as a training run makes it, calibrated
on the last 15 % of its rows.
"""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from benchmarks.estimates import lake_until
from smallbox.arrays import Bools, Floats, Ints
from smallbox.define.model import Model
from smallbox.define.project import load as load_project
from smallbox.registry.scorer import Scorer
from smallbox.times import parse_day
from smallbox.training.dataset_rows import build_dataset
from smallbox.training.estimators import build_pipeline
from smallbox.training.examples import Examples, examples_of
from smallbox.training.export import to_onnx
from smallbox.training.fit_model import fit

UNTIL: Final = parse_day("2013-05-02")
APRIL: Final = (parse_day("2013-04-01"), parse_day("2013-05-01"))
TRAINED: Final = (parse_day("2013-01-01"), parse_day("2013-03-01"))
SCHEDULE: Final = ("distance", "departure_minute", "arrival_minute", "weekday", "scheduled_minutes")
NAMES: Final = (
    "trained to the end of March",
    "20 % of labels shuffled",
    "50 % of labels shuffled",
    "without the 7-day windows",
    "schedule only",
)


@dataclass(frozen=True, slots=True, eq=False)
class ShadowedFlights:
    """Flights, as all versions score them.

    Attributes:
        times: ``(n,)`` scheduled departures, microseconds, in this order.
        late: ``(n,)`` whether it arrived late.
        champion: ``(n,)`` the champion's probability.
        candidates: ``(n,)`` each candidate's probability, by its name.
    """

    times: Ints
    late: Bools
    champion: Floats
    candidates: Mapping[str, Floats]

    def during(self, period: tuple[int, int]) -> "ShadowedFlights":
        """Those of a period."""
        rows = between(self.times, *period)
        kept = {name: one[rows] for name, one in self.candidates.items()}
        return ShadowedFlights(self.times[rows], self.late[rows], self.champion[rows], kept)


def shadowed_flights(*, calibrated: bool, period: tuple[int, int] = APRIL) -> ShadowedFlights:
    """Train all versions, and score the flights of a period."""
    project = load_project()
    model = project.models["late_arrival"]
    with tempfile.TemporaryDirectory() as folder:
        lake = lake_until(project, folder, UNTIL)
        rows = build_dataset(project, model, lake, UNTIL).rows
    examples = examples_of(model.columns, model.objective, rows)
    examples = examples.take(np.argsort(examples.times, kind="stable"))
    asked = examples.take(between(examples.times, *period))
    make = by_training_run if calibrated else by_estimator
    found = {name: make(model, *taught(model, change, examples, asked)) for name, change in candidates().items()}
    return ShadowedFlights(asked.times, asked.labels > 0, found.pop("champion"), found)


def candidates() -> dict[str, dict[str, Any]]:
    """How each version differs from the champion."""
    changes: tuple[dict[str, Any], ...] = (
        {"end": APRIL[0]},
        {"shuffled": 0.2},
        {"shuffled": 0.5},
        {"without": lambda name: name.endswith("_7d")},
        {"without": lambda name: name not in SCHEDULE},
    )
    return {"champion": {}} | dict(zip(NAMES, changes, strict=True))


def taught(model: Model, change: Mapping[str, Any], examples: Examples, asked: Examples) -> tuple[Examples, Examples]:
    """The rows that train a version, and those that it scores, as it sees them."""
    end = change.get("end", TRAINED[1])
    train = examples.take(between(examples.times, TRAINED[0], end) & (examples.label_known_at <= end))
    unused = [name for name in model.columns.numeric if change.get("without", lambda _: False)(name)]
    train, asked = without(train, unused), without(asked, unused)
    return replace(train, labels=shuffled(train.labels, change.get("shuffled", 0.0))), asked


def by_training_run(model: Model, train: Examples, asked: Examples) -> Floats:
    """The probabilities of a version as a training run makes it."""
    onnx = to_onnx(fit(model, train).pipelines, model.columns, model.objective)
    return np.asarray(Scorer(onnx).score(asked.numeric, asked.categorical)[:, -1], dtype=float)


def by_estimator(model: Model, train: Examples, asked: Examples) -> Floats:
    """The probabilities of the estimator alone, fitted on all rows."""
    pipeline = build_pipeline(model, model.objective.heads[0])
    pipeline.fit(train.inputs, model.objective.targets(train.labels))
    return np.asarray(pipeline.predict_proba(asked.inputs)[:, 1], dtype=float)


def between(times: Ints, start: int, end: int) -> Bools:
    """Which moments lie in a period."""
    return np.asarray((times >= start) & (times < end))


def without(examples: Examples, names: list[str]) -> Examples:
    """The same rows with columns that are the same in all, which trees cannot split."""
    return replace(examples, inputs=examples.inputs.assign(**dict.fromkeys(names, np.float32(0))))


def shuffled(labels: Floats, share: float) -> Floats:
    """The same labels, with a share of them exchanged with one another."""
    random = np.random.default_rng(0)
    chosen = np.flatnonzero(random.random(len(labels)) < share)
    found = labels.copy()
    found[chosen] = labels[random.permutation(chosen)]
    return found
