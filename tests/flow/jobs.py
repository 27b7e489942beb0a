"""Jobs of a workshop and how they end: one request and one outcome for definitions with labels of several kinds."""

from typing import Any

import numpy as np
import pandas as pd

from smallbox.define import (
    Canary,
    Columns,
    FeatureView,
    Gate,
    Model,
    Monitor,
    Release,
    Retrain,
    Shadow,
    Source,
    integer,
    mean,
    number,
    prepare,
    text,
    timestamp,
)
from smallbox.define.rules import Label
from smallbox.ports import Lake
from smallbox.times import DAY, HOUR
from tests.flow.rounds import BEGIN, HISTORY_DAYS, Round, moments

WEEKS_DAYS, DAYS, A_DAY, SITES = HISTORY_DAYS + 7, HISTORY_DAYS + 11, 120, 6

jobs = Source(
    "jobs",
    key="job_id",
    time="asked_at",
    fields={
        "job_id": text(),
        "asked_at": timestamp(),
        "site": text(),
        "size": number(nullable=True),
        "risk": number(),
    },
    known_after="0s",
)
results = Source(
    "results",
    key="job_id",
    time="ended_at",
    fields={
        "job_id": text(),
        "ended_at": timestamp(),
        "site": text(),
        "hours": number(),
        "pieces": integer(minimum=0),
        "grade": text(choices=("Low", "mid-range", "höchste")),
    },
    known_after="0s",
)
site = FeatureView("site", entity="site", source=results, features={"site_hours_3d": mean("hours", "3d", default=0.0)})


def classifier(columns: Columns) -> Any:
    """Few, small trees of classes."""
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415
    from sklearn.pipeline import Pipeline  # noqa: PLC0415

    trees = HistGradientBoostingClassifier(max_iter=15, max_leaf_nodes=8, random_state=0)
    return Pipeline([("prepare", prepare(columns)), ("trees", trees)])


def job_model(name: str, label: Label, estimator: Any, **rules: Any) -> Model:
    """A model of jobs."""
    return Model(
        name,
        request=jobs,
        inputs=("size", "risk", "site"),
        views=(site,),
        label=label,
        estimator=estimator,
        gate=rules.pop("gate", Gate(max_loss_increase=0.2)),
        release=Release(shadow=Shadow(max_loss_increase=0.5, max_days=6), canary=Canary(steps=("50% for 1d",))),
        monitor=Monitor(min_rows=50, min_rarer=5, max_lead="6h"),
        retrain=Retrain(window="18d", validation="5d"),
        **rules,
    )


def job_round(model: Model, lake: Lake | None = None) -> Round:
    """The history of the workshop, and some days ahead: large jobs take longer, and some risky ones never end."""
    weeks = [_worked(0, WEEKS_DAYS, seed=5), _worked(WEEKS_DAYS, DAYS, seed=6)]
    asked, outcomes = (pd.concat(parts, ignore_index=True) for parts in zip(*weeks, strict=True))
    return Round(model, results, asked, outcomes, lake=lake)


def _worked(first: int, end: int, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The jobs of some days, and the outcomes of those that ended."""
    random = np.random.default_rng(seed)
    rows, number = (end - first) * A_DAY, np.arange(first * A_DAY, end * A_DAY)
    at, size, risk = BEGIN + number * DAY // A_DAY, random.normal(size=rows), random.uniform(size=rows)
    place = random.integers(0, SITES, rows)
    hours = 5 + 3 * size + place - 2.5 + random.normal(size=rows) * (1 + risk)
    ids, sites = [f"j{n}" for n in number], [f"site{n}" for n in place]
    known = np.where(random.random(rows) < 0.05, np.nan, size)
    asked = {"job_id": ids, "asked_at": moments(at), "site": sites, "size": known, "risk": risk, "at": at}
    ended, grade = at + HOUR, np.where(hours < 3, "Low", np.where(hours < 7, "mid-range", "höchste"))
    pieces = random.poisson(np.exp(0.5 + 0.5 * size))
    found = {"job_id": ids, "ended_at": moments(ended), "site": sites, "hours": hours, "pieces": pieces}
    is_lost = random.random(rows) < 0.4 * (risk > 0.6)
    return pd.DataFrame(asked), pd.DataFrame({**found, "grade": grade, "at": ended})[~is_lost]
