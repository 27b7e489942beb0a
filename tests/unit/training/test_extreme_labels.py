"""Proves that training on extreme labels works, or is refused with a sentence that says what to do."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline

from smallbox.arrays import Array
from smallbox.define import Columns, Gate, Multiclass, Regression, prepare
from smallbox.define.model import Model
from smallbox.errors import NotReady
from smallbox.objectives.objective import Objective
from smallbox.registry.scorer import Scorer
from smallbox.training.examples import Examples, examples_of
from smallbox.training.export import parity, to_onnx
from smallbox.training.fit_model import fit, outputs_of
from tests.fakes.small import dataset, late_parcel
from tests.flow.jobs import classifier
from tests.flow.rounds import regressor


def linear(columns: Columns) -> Any:
    """A linear model that takes no missing number."""
    return Pipeline([("prepare", prepare(columns)), ("linear", LinearRegression())])


def model_of(objective: Objective, estimator: Callable[..., Any]) -> Model:
    """The small model with another label."""
    label = replace(late_parcel.label, objective=objective)
    return replace(late_parcel, label=label, estimator=estimator, gate=Gate())


def examples(model: Model, labels: Array, rows: int = 400) -> Examples:
    """Rows with these labels."""
    table = dataset(rows, seed=1)
    found = examples_of(model.columns, late_parcel.objective, table)
    return replace(found, labels=model.objective.encoded(np.asarray(labels)))


THREE = Multiclass(("a", "b", "c"))


def test_a_class_that_never_happened_is_refused_by_its_name() -> None:
    """A class without training rows would have no output, so training says which one is missing."""
    model = model_of(THREE, classifier)
    with pytest.raises(NotReady, match="there are no rows of c"):
        fit(model, examples(model, np.resize(["a", "b"], 400)))


def test_a_class_that_is_missing_only_among_the_last_rows_is_learned() -> None:
    """A temperature needs no row of each class: a rare class that did not happen lately stops no training."""
    model = model_of(THREE, classifier)
    labels = np.resize(["a", "b", "b", "c"], 400)
    labels[340:] = np.resize(["a", "b"], 60)
    given = examples(model, labels)
    fitted = fit(model, given)
    assert fitted.calibrated == 60
    outputs = outputs_of(model.objective, fitted.pipelines, given.inputs)
    served = Scorer(to_onnx(fitted.pipelines, model.columns, model.objective)).score(given.numeric, given.categorical)
    assert served.shape == (400, 3)
    assert parity(outputs, served, 1e-4).largest < 1e-4


def test_a_text_that_is_no_class_is_refused() -> None:
    """A choice that was dropped from the source but is in old rows would shift the outputs of all classes."""
    model = model_of(THREE, classifier)
    with pytest.raises(NotReady, match=r"100 labels are none of the classes a, b, c; name theirs too"):
        fit(model, examples(model, np.resize(["a", "b", "c", "dropped"], 400)))


def test_negative_counts_are_refused() -> None:
    """Some estimators fit Poisson to negative numbers without a word, so training refuses."""
    model = model_of(Regression("poisson"), regressor)
    with pytest.raises(NotReady, match="1 labels are negative"):
        fit(model, examples(model, np.concatenate([[-1], np.arange(399)])))


@pytest.mark.parametrize("loss", ["squared", "absolute", "poisson"])
def test_labels_that_are_all_equal_are_refused(loss: Any) -> None:
    """One number teaches nothing; the sentence asks for rows of different labels."""
    model = model_of(Regression(loss), regressor)
    with pytest.raises(NotReady, match="there are no rows of different labels"):
        fit(model, examples(model, np.zeros(400)))


def test_labels_of_a_billion_pass_parity() -> None:
    """Float32 has seven digits, so the accepted difference grows with the labels."""
    model = model_of(Regression(), regressor)
    labels = np.random.default_rng(0).normal(1e9, 1e8, 400)
    given = examples(model, labels)
    fitted = fit(model, given)
    ours = outputs_of(model.objective, fitted.pipelines, given.inputs)
    served = Scorer(to_onnx(fitted.pipelines, model.columns, model.objective)).score(given.numeric, given.categorical)
    found = parity(ours, served, model.objective.tolerance(labels))
    assert 1e-3 < found.largest < found.limit
