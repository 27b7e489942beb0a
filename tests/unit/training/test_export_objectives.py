"""Proves that for every objective ONNX answers as the estimator does, with missing numbers and unseen categories."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pandas as pd
import pytest
import skops.io
from onnx import load_from_string
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor, RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, PoissonRegressor, QuantileRegressor
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from smallbox.arrays import Floats
from smallbox.define import Binary, Columns, Multiclass, Ranking, Regression, prepare, text
from smallbox.define.model import Model
from smallbox.define.rules import Gate
from smallbox.errors import NotReady
from smallbox.objectives.measure import mean_loss
from smallbox.objectives.objective import Objective
from smallbox.objectives.temperature import TemperatureScaled
from smallbox.registry.scorer import Scorer
from smallbox.training.examples import Examples
from smallbox.training.export import parity, to_onnx
from smallbox.training.fit_model import Fitted, fit, outputs_of
from tests.fakes.small import late_parcel, parcels

COLUMNS: Final = late_parcel.columns
CLASSES: Final = ("on time", "late", "very late", "lost")
QUANTILES: Final = (0.1, 0.5, 0.9)
POISSON: Final = Regression("poisson", (0.9,))


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    """The data is small: threads would wait for each other."""
    with threadpool_limits(1):
        yield


def _labels(objective: Objective, signal: Floats, random: np.random.Generator) -> Floats:
    noisy: Floats = signal + random.normal(size=len(signal))
    if objective.kind == "binary":
        return (noisy > 1).astype(float)
    if objective.kind == "multiclass":
        return np.digitize(noisy, [0.0, 1.5, 3.0]).astype(float)
    if objective.kind == "ranking":
        return np.digitize(noisy, [0.0, 2.0]).astype(float)
    if objective == POISSON:
        return random.poisson(np.exp(0.5 * signal)).astype(float)
    return 30 * noisy


def rows(objective: Objective, count: int, seed: int, *, strange: bool = False) -> Examples:
    """Rows with missing numbers; when ``strange``, many more of them, and categories that were never seen."""
    random = np.random.default_rng(seed)
    weight, delay = random.normal(size=count), random.lognormal(1, 1, count)
    depots = random.integers(0, 9, count)
    signal = weight + np.log(delay) * (depots == 1) + 0.1 * depots
    is_new = random.random(count) < 0.2 * strange
    gone = random.random((2, count)) < (0.3 if strange else 0.1)
    inputs = pd.DataFrame(
        {
            "weight": np.where(gone[0], np.nan, weight).astype(np.float32),
            "depot_delay_3h": np.where(gone[1], np.nan, delay).astype(np.float32),
            "depot": np.where(is_new, "never seen", [f"dépôt {n}" if n else "" for n in depots]).astype(object),
        }
    )
    times, labels = np.arange(count), _labels(objective, signal, random)
    return Examples(COLUMNS, inputs, times, labels, times, times // 10)


def _trees(columns: Columns, loss: str = "squared_error", quantile: float | None = None) -> Any:
    options: Any = {"loss": loss} if quantile is None else {"loss": "quantile", "quantile": quantile}
    return _pipeline(columns, HistGradientBoostingRegressor(max_iter=30, random_state=0, **options), impute=None)


def _pipeline(columns: Columns, last: Any, impute: Any = "median") -> Pipeline:
    return Pipeline([("prepare", prepare(columns, numeric={"impute": impute, "scale": "standard"})), ("last", last)])


def squared_trees(columns: Columns, quantile: float | None = None) -> Any:
    """Boosted trees of the mean and of each quantile."""
    return _trees(columns, quantile=quantile)


def absolute_trees(columns: Columns, quantile: float | None = None) -> Any:
    """Boosted trees of the median and of each quantile."""
    return _trees(columns, "absolute_error", quantile)


def poisson_trees(columns: Columns, quantile: float | None = None) -> Any:
    """Boosted trees of the mean of a count, whose raw output is a logarithm."""
    return _trees(columns, "poisson", quantile)


def poisson_line(columns: Columns, quantile: float | None = None) -> Any:
    """A log-linear mean of a count, beside boosted trees of a quantile."""
    return _pipeline(columns, PoissonRegressor()) if quantile is None else _trees(columns, quantile=quantile)


def lines(columns: Columns, quantile: float | None = None) -> Any:
    """A linear model of the mean, and of each quantile."""
    last = LinearRegression() if quantile is None else QuantileRegressor(quantile=quantile, alpha=0.001)
    return _pipeline(columns, last)


def _classifier(last: Any) -> Any:
    return lambda columns: _pipeline(columns, last)


BOOSTED: Final = _classifier(HistGradientBoostingClassifier(max_iter=20, random_state=0))
LOGISTIC: Final = _classifier(LogisticRegression(max_iter=1_000))
FOREST: Final = _classifier(RandomForestClassifier(30, min_samples_leaf=3, random_state=0))

CASES: Final[Mapping[str, tuple[Objective, Any]]] = {
    "binary, trees": (Binary(), BOOSTED),
    "binary, line": (Binary(), LOGISTIC),
    "binary, forest": (Binary(), FOREST),
    "multiclass, trees": (Multiclass(CLASSES), BOOSTED),
    "multiclass, line": (Multiclass(CLASSES), LOGISTIC),
    "multiclass, forest": (Multiclass(CLASSES), FOREST),
    "squared and quantiles, trees": (Regression("squared", QUANTILES), squared_trees),
    "squared and quantiles, lines": (Regression("squared", QUANTILES), lines),
    "squared, trees": (Regression("squared"), squared_trees),
    "absolute and quantiles, trees": (Regression("absolute", QUANTILES), absolute_trees),
    "poisson and quantile, trees": (POISSON, poisson_trees),
    "poisson and quantile, line": (POISSON, poisson_line),
    "quantiles alone, trees": (Regression("quantile", QUANTILES), squared_trees),
    "one quantile, trees": (Regression("quantile", (0.5,)), squared_trees),
    "ranking, trees": (Ranking("search_id"), squared_trees),
}


def model_of(objective: Objective, estimator: Any) -> Model:
    """A model whose label has that objective."""
    label = replace(late_parcel.label, objective=objective)
    request = replace(parcels, fields={**parcels.fields, "search_id": text()})
    return replace(late_parcel, request=request, label=label, estimator=estimator, gate=Gate())


def fitted_of(objective: Objective, estimator: Any, count: int = 1_500) -> Fitted:
    """The pipelines, fitted and calibrated."""
    return fit(model_of(objective, estimator), rows(objective, count, seed=1))


def served(content: bytes, asked: Examples) -> Floats:
    """The outputs that would be served."""
    return Scorer(content).score(asked.numeric, asked.categorical)


@pytest.mark.parametrize(("objective", "estimator"), CASES.values(), ids=CASES)
def test_onnx_answers_like_the_estimator(objective: Objective, estimator: Any) -> None:
    """5,000 rows differ by a tenth of what the gate allows at most; each output is a column in its place."""
    fitted, asked = fitted_of(objective, estimator), rows(objective, 5_000, seed=2, strange=True)
    ours = outputs_of(objective, fitted.pipelines, asked.inputs)
    theirs = served(to_onnx(fitted.pipelines, COLUMNS, objective), asked)
    assert ours.shape == theirs.shape == (5_000, len(objective.outputs))
    limit = objective.tolerance(asked.labels)
    assert parity(ours, theirs, limit).largest < limit / 10
    assert len(np.unique(ours[:, 0])) > 20, "the rows are told apart"


@pytest.mark.parametrize("columns", [Columns(("weight", "depot_delay_3h"), ()), Columns((), ("depot",))])
@pytest.mark.parametrize("case", ["multiclass, trees", "squared and quantiles, lines", "ranking, trees"])
def test_a_model_of_numbers_alone_or_texts_alone_exports(case: str, columns: Columns) -> None:
    """The graph, of several heads too, has the one matrix that there is as its input."""
    objective, estimator = CASES[case]
    fits, asked = rows(objective, 600, seed=1), rows(objective, 2_000, seed=2, strange=True)
    targets = objective.targets(fits.labels)
    pipelines = [estimator(columns, **head).fit(fits.inputs[list(columns.names)], targets) for head in objective.heads]
    content = to_onnx(pipelines, columns, objective)
    assert [one.name for one in load_from_string(content).graph.input] == [
        "numeric" if columns.numeric else "categorical"
    ]
    theirs = served(content, replace(asked, columns=columns))
    ours = outputs_of(objective, pipelines, asked.inputs[list(columns.names)])
    assert parity(ours, theirs, 0.0).largest < objective.tolerance(asked.labels) / 10


def _turned(columns: Columns, quantile: float | None = None) -> Any:
    """The lower quantile where the upper one is asked for: all cross."""
    return _trees(columns, quantile=None if quantile is None else 1 - quantile)


@pytest.mark.parametrize("loss", ["squared", "quantile"])
def test_crossed_quantiles_are_sorted_in_both(loss: Any) -> None:
    """Quantiles ascend in each row, the point stays where it is, and ONNX sorts as scikit-learn does."""
    objective = Regression(loss, QUANTILES)
    fitted, asked = fitted_of(objective, _turned, 600), rows(objective, 2_000, seed=2, strange=True)
    raw = np.column_stack([objective.predicted(one, asked.inputs) for one in fitted.pipelines])
    assert (raw[:, -1] < raw[:, -3]).mean() > 0.9, "they cross"
    theirs = served(to_onnx(fitted.pipelines, COLUMNS, objective), asked)
    assert (np.diff(theirs[:, -3:], axis=1) >= 0).all()
    ours = outputs_of(objective, fitted.pipelines, asked.inputs)
    assert parity(ours, theirs, 0.0).largest < objective.tolerance(asked.labels) / 10
    if objective.has_point:
        np.testing.assert_array_equal(ours[:, 0], raw[:, 0])


@pytest.mark.parametrize("case", ["multiclass, trees", "squared and quantiles, trees"])
def test_a_row_scores_the_same_alone_and_in_a_batch(case: str) -> None:
    """Sorting, softmax and joining are within a row: others in the batch change nothing; no row gives no output."""
    objective, estimator = CASES[case]
    asked = rows(objective, 30, seed=3, strange=True)
    content = to_onnx(fitted_of(objective, estimator, 600).pipelines, COLUMNS, objective)
    alone = np.vstack([served(content, asked.take(np.array([n]))) for n in range(30)])
    np.testing.assert_array_equal(served(content, asked), alone)
    assert served(content, asked.take(slice(0))).shape == (0, len(objective.outputs))


def test_classes_that_are_certain_or_impossible_stay_finite() -> None:
    """A forest gives probabilities of exactly 0: both engines take the same logarithm of them, and add up to 1."""
    objective, estimator = CASES["multiclass, forest"]
    fitted, asked = fitted_of(objective, estimator), rows(objective, 2_000, seed=2)
    scaled = fitted.pipelines[0].steps[-1][1]
    assert isinstance(scaled, TemperatureScaled)
    inner = scaled.estimator.predict_proba(fitted.pipelines[0][:-1].transform(asked.inputs))
    assert (inner == 0).any()
    theirs = served(to_onnx(fitted.pipelines, COLUMNS, objective), asked)
    assert np.isfinite(theirs).all()
    np.testing.assert_allclose(theirs.sum(axis=1), 1, atol=1e-6)
    assert mean_loss(objective, asked.scored(theirs)).value < 2


@pytest.mark.parametrize("case", ["multiclass, trees", "squared and quantiles, trees"])
def test_stored_pipelines_score_as_before(case: str) -> None:
    """All heads come back from the skops file, the calibrated ones with their temperature."""
    objective, estimator = CASES[case]
    fitted, asked = fitted_of(objective, estimator, 600), rows(objective, 200, seed=2)
    content = skops.io.dumps(list(fitted.pipelines))
    loaded: Any = skops.io.loads(content, trusted=skops.io.get_untrusted_types(data=content))
    one, other = (outputs_of(objective, pipelines, asked.inputs) for pipelines in (fitted.pipelines, loaded))
    np.testing.assert_array_equal(one, other)


def test_a_class_that_never_occurs_is_not_trained_without() -> None:
    """With a class less the columns would be those of others: it is refused, and the class is named."""
    objective = Multiclass((*CLASSES, "stolen"))
    with pytest.raises(NotReady, match="there are no rows of stolen"):
        fitted_of(objective, BOOSTED)
