"""Proves that how early a label became known does not choose the rows that train, so scores are true on average."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from smallbox.define import Columns, Model, Release, Retrain, label, prepare
from smallbox.errors import DefinitionError
from smallbox.objectives.binary import Binary
from smallbox.times import DAY, HOUR, Micros
from smallbox.training.examples import examples_of, split_by_time
from smallbox.training.fit_model import fit, outputs_of
from tests.fakes.small import deliveries, late_parcel

AS_OF = 90 * DAY
WITHIN, VALIDATION = 24 * HOUR, 3 * DAY

hours = st.integers(0, 30 * 24 - 1)
delays = st.integers(1, 24)


@given(st.lists(st.tuples(hours, st.booleans(), delays, delays), max_size=40))
def test_which_rows_train_does_not_depend_on_the_delay_of_either_class(
    drawn: list[tuple[int, bool, int, int]],
) -> None:
    """Whatever the delays, by class or not, the same rows train, and with them the same labels."""
    time = np.array([hour for hour, _, _, _ in drawn], dtype=np.int64) * HOUR
    labels = np.array([positive for _, positive, _, _ in drawn], dtype=bool)
    trained = []
    for at in (2, 3):
        known_at = time + np.array([row[at] for row in drawn], dtype=np.int64) * HOUR
        rows = pa.table({"time": time, "label": labels, "label_known_at": known_at})
        parts = split_by_time(examples_of(Columns((), ()), Binary(), rows).times, 30 * DAY, VALIDATION, WITHIN)
        trained.append((parts.train.tolist(), labels[parts.train].tolist()))
    assert trained[0] == trained[1]


@given(st.lists(st.tuples(hours, delays), max_size=40))
def test_nothing_that_became_known_in_the_validation_period_trains(drawn: list[tuple[int, int]]) -> None:
    """Every row trains, judges or is embargoed; what trains was asked and known before the period began."""
    time = np.array([hour for hour, _ in drawn], dtype=np.int64) * HOUR
    known_at = time + np.array([wait for _, wait in drawn], dtype=np.int64) * HOUR
    parts = split_by_time(time, 30 * DAY, VALIDATION, WITHIN)
    start = 30 * DAY - VALIDATION
    assert parts.train.sum() + parts.validation.sum() + parts.embargoed == len(drawn)
    assert (known_at[parts.train] < start).all()
    assert (time[parts.validation] >= start).all()
    assert not (parts.train & parts.validation).any()


def _linear(columns: Columns) -> Pipeline:
    return Pipeline([("prepare", prepare(columns, numeric={"impute": "median"})), ("classify", LogisticRegression())])


Delays = Callable[[np.random.Generator, Any], Any]


def _fast_frauds(_random: np.random.Generator, positive: Any) -> Any:
    return np.where(positive, 1 * DAY, 7 * DAY)


def _spread_positives(random: np.random.Generator, positive: Any) -> Any:
    return np.where(positive, random.integers(0, 30 * DAY, len(positive)), 1 * DAY)


@pytest.mark.parametrize(("within", "delay"), [("7d", _fast_frauds), ("30d", _spread_positives)])
def test_the_mean_score_is_the_true_rate_whichever_class_is_reported_first(within: str, delay: Delays) -> None:
    """Of 1,000 requests a day 7 % are positive: so is the mean score, within three standard errors."""
    model = replace(
        late_parcel,
        label=label(deliveries, on="parcel_id", value="late", within=within),
        release=Release(shadow=None, canary=None),
        retrain=Retrain(window="90d", validation="7d"),
        estimator=_linear,
    )
    random = np.random.default_rng(7)
    end = AS_OF - model.label.within_micros
    examples = examples_of(model.columns, model.objective, _requests(random, end, delay))
    parts = split_by_time(examples.times, end, model.retrain.validation_micros, model.label.within_micros)
    fitted = fit(model, examples.take(parts.train))
    scores = outputs_of(model.objective, fitted.pipelines, examples.take(parts.validation).inputs)[:, 0]
    error = np.sqrt(0.07 * 0.93 * (1 / fitted.calibrated + 1 / len(scores)))
    assert abs(scores.mean() - 0.07) < 3 * error
    assert 3 * error < 0.02


def _requests(random: np.random.Generator, end: Micros, delay: Delays) -> pa.Table:
    """1,000 requests a day until ``end``, of which 7 % are positive, more often so where the weight is great."""
    time = np.sort(random.integers(0, end, end // DAY * 1_000))
    positive = random.random(len(time)) < 0.07
    return pa.table(
        {
            "time": time,
            "weight": random.normal(positive * 1.0).astype(np.float32),
            "depot_delay_3h": random.normal(size=len(time)).astype(np.float32),
            "depot": ["north"] * len(time),
            "label": positive,
            "label_known_at": time + delay(random, positive),
        }
    )


def test_a_window_that_leaves_nothing_to_train_on_is_refused() -> None:
    """Of the window one attribution window is open, one is the embargo, and the validation period judges."""
    with pytest.raises(DefinitionError, match="twice the label's within='24h'"):
        replace(late_parcel, retrain=Retrain(window="5d", validation="3d"))
    assert isinstance(replace(late_parcel, retrain=Retrain(window="6d", validation="3d")), Model)
