"""Proves that a fitted pipeline answers with probabilities, and that ONNX gives the same answers."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.preprocessing import OneHotEncoder

from smallbox.arrays import Floats
from smallbox.define.signature import Columns
from smallbox.errors import NotReady
from smallbox.objectives.binary import Binary
from smallbox.objectives.measure import measure
from smallbox.prepare.one_hot import affine_map
from smallbox.registry.scorer import Scorer
from smallbox.training.examples import Examples, examples_of, frame
from smallbox.training.export import parity, to_onnx
from smallbox.training.fit_model import Fitted, fit, outputs_of
from smallbox.training.float32_thresholds import round_down
from tests.fakes.small import dataset, late_parcel

COLUMNS, BINARY = late_parcel.columns, Binary()
LIMIT = BINARY.tolerance(np.empty(0))
TRUSTED = [
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
]


@pytest.fixture(scope="module")
def fitted() -> Fitted:
    """The small model, fitted once."""
    return fit(late_parcel, rows(2000, seed=1))


def rows(count: int, seed: int) -> Examples:
    """Rows of the small model's dataset."""
    return examples_of(COLUMNS, BINARY, dataset(count, seed))


def scores_of(pipelines: Sequence[Any], inputs: pd.DataFrame) -> Floats:
    """The scores by scikit-learn."""
    return outputs_of(BINARY, pipelines, inputs)


def onnx_scores(content: bytes, inputs: pd.DataFrame, columns: Columns = COLUMNS) -> Floats:
    """The scores that would be served."""
    numeric = inputs[list(columns.numeric)].to_numpy(np.float32)
    return Scorer(content).score(numeric, inputs[list(columns.categorical)].to_numpy(object))


def test_fitted_scores_rank_and_are_calibrated_on_later_rows(fitted: Fitted) -> None:
    """On rows that it has not seen, the pipeline ranks well and its scores are about the share that comes true."""
    later = rows(4000, seed=2)
    figures = measure(BINARY, later.scored(scores_of(fitted.pipelines, later.inputs)))["figures"]
    assert (figures["auc"]["value"] or 0) > 0.75
    assert (figures["calibration_error"]["value"] or 1) < 0.06


def test_the_last_rows_calibrate_and_do_not_fit(fitted: Fitted) -> None:
    """Labels of the last 15 % of the rows move the calibration alone: the order of the scores stays."""
    assert (fitted.fitted, fitted.calibrated) == (1700, 300)
    examples = rows(2000, seed=1)
    flipped = examples.labels.copy()
    flipped[1700:] = np.random.default_rng(0).permutation(flipped[1700:])
    other = fit(late_parcel, replace(examples, labels=flipped))
    inputs = frame(COLUMNS, dataset(500, seed=3))
    one, two = scores_of(fitted.pipelines, inputs), scores_of(other.pipelines, inputs)
    assert not np.allclose(one, two)
    order = np.argsort(one, axis=0, kind="stable")
    np.testing.assert_array_equal(order, np.argsort(two, axis=0, kind="stable"))


@pytest.mark.parametrize("labels", [[True, False] * 20, [True] * 400, [False] * 400])
def test_rows_that_cannot_teach_are_refused(labels: list[bool]) -> None:
    """Too few rows, or rows of one class, are not ready, and say how many there are."""
    examples = replace(rows(len(labels), seed=1), labels=np.array(labels, float))
    with pytest.raises(NotReady, match="too few"):
        fit(late_parcel, examples)


def test_onnx_answers_like_scikit_learn(fitted: Fitted) -> None:
    """Missing numbers, rare categories, and categories that were never seen score alike in both."""
    inputs = frame(COLUMNS, dataset(3000, seed=4))
    inputs.loc[:500, "depot"] = "never seen"
    inputs.loc[500:1000, "depot"] = ""
    inputs.loc[1000:1500, "weight"] = np.nan
    content = to_onnx(fitted.pipelines, COLUMNS, BINARY)
    compared = parity(scores_of(fitted.pipelines, inputs), onnx_scores(content, inputs), LIMIT)
    assert compared.rows == 3000
    assert compared.largest < 1e-6


def test_parity_states_the_largest_difference() -> None:
    """One row that differs is seen among many, and nothing differs on no rows."""
    ours = np.zeros((1000, 3))
    theirs = ours.copy()
    theirs[7, 2] = -0.01
    assert parity(ours, theirs, 0.1).as_json() == {"rows": 1000, "largest": 0.01, "limit": 0.1}
    assert parity(np.empty((0, 3)), np.empty((0, 3)), 0.1).largest == 0


@pytest.mark.parametrize("columns", [Columns(("weight",), ()), Columns((), ("depot",))])
def test_a_model_of_one_kind_of_input_exports(columns: Columns, fitted: Fitted) -> None:
    """A graph without numbers, or without texts, takes the one matrix that there is."""
    del fitted
    table = dataset(600, seed=5)
    inputs = frame(columns, table)
    pipelines = [late_parcel.estimator(columns).fit(inputs, table["label"].to_numpy())]
    content = to_onnx(pipelines, columns, BINARY)
    compared = parity(scores_of(pipelines, inputs), onnx_scores(content, inputs, columns), LIMIT)
    assert compared.largest < 1e-6


def test_rare_categories_share_a_column() -> None:
    """The affine map of one-hot rows is what scikit-learn's encoder gives, unknown categories included."""
    words = np.array([["a"]] * 5 + [["b"]] * 9 + [["c"]] * 1, dtype=object)
    encoder = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=6, sparse_output=False).fit(words)
    weights, bias = affine_map(encoder.categories_[0], encoder.infrequent_categories_[0], unknown_is_rare=True)
    hot = np.vstack([np.eye(3), np.zeros(3)])
    asked = np.array([["a"], ["b"], ["c"], ["never seen"]], dtype=object)
    np.testing.assert_array_equal(hot @ weights + bias, encoder.transform(asked))


def test_a_stored_pipeline_loads_with_the_types_that_are_named(fitted: Fitted) -> None:
    """A skops file needs three trusted types beyond the library's own, and scores as before when it is loaded."""
    content = skops.io.dumps(list(fitted.pipelines))
    assert sorted(skops.io.get_untrusted_types(data=content)) == TRUSTED
    inputs = frame(COLUMNS, dataset(100, seed=6))
    loaded = skops.io.loads(content, trusted=TRUSTED)
    np.testing.assert_array_equal(scores_of(loaded, inputs), scores_of(fitted.pipelines, inputs))


def test_a_float32_goes_the_same_way_beside_a_threshold() -> None:
    """A threshold rounded down to float32 splits all float32 values as the float64 one did, also its neighbours."""
    thresholds = np.random.default_rng(0).normal(size=1_000)
    rounded = round_down(thresholds)
    nearest = thresholds.astype(np.float32)
    for value in (np.nextafter(nearest, np.float32(-np.inf)), nearest, np.nextafter(nearest, np.float32(np.inf))):
        assert ((value <= thresholds) == (value <= rounded.astype(np.float32))).all()
    assert (nearest > thresholds).any(), "rounding to the nearest would send these the other way"
