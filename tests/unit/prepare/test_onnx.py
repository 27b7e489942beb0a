"""Proves that whatever a definition prepares its inputs with is served as it was trained, in ONNX and to the bit."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import skops.io
from hypothesis import given, settings
from hypothesis import strategies as st
from onnxruntime import InferenceSession
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from smallbox.arrays import Floats
from smallbox.define import Columns, Model, Source, boolean, integer, label, number, prepare, text, timestamp
from smallbox.objectives.binary import Binary
from smallbox.prepare.discretizer import Discretizer
from smallbox.registry.scorer import Scorer
from smallbox.training.examples import Examples, examples_of, frame
from smallbox.training.export import _converted, parity, to_onnx
from smallbox.training.fit_model import fit, outputs_of

parcels = Source(
    "parcels",
    key="parcel_id",
    time="sent_at",
    fields={
        "parcel_id": text(),
        "sent_at": timestamp(),
        "weight": number(nullable=True),
        "price": number(),
        "stops": integer(nullable=True),
        "depot": text(nullable=True),
        "road": text(),
        "late": boolean(),
    },
)
model = Model(
    "late_parcel",
    request=parcels,
    inputs=("weight", "price", "stops", "depot", "road"),
    views=(),
    label=label(parcels, on="parcel_id", value="late", within="24h"),
    estimator=lambda columns: columns,
)

IMPUTE: Any = (None, "mean", "median", "most_frequent", -1.5)
SCALE: Any = (None, "standard", "robust", "minmax")
NUMERIC = [
    {"impute": impute, "indicate_missing": indicate, "scale": scale}
    for impute, indicate, scale in itertools.product(IMPUTE, (False, True), SCALE)
]
ALL_BINS: Any = {"stops": (1, 2.5, 4), "price": 4, "weight": 5}
DISCRETIZE: Any = ({}, {"weight": 8}, {"stops": 3, "weight": (60, 70.1)}, ALL_BINS)
CATEGORICAL: Any = [
    {"encode": encode, "min_frequency": rare} for encode in ("one-hot", "ordinal") for rare in (None, 30, 0.05)
]
BESIDE = list(itertools.product(DISCRETIZE, CATEGORICAL))
CLASSIFIERS: Any = {
    "linear": lambda: LogisticRegression(max_iter=10_000),
    "trees": lambda: HistGradientBoostingClassifier(max_iter=10, max_leaf_nodes=8, random_state=0),
}

LIMIT = Binary().tolerance(np.empty(0)) / 10

DEPOTS = [f"dépôt {n}" if n != 3 else "" for n in range(41)]


def dataset(rows: int, seed: int, *, unknown: float = 0.0) -> pa.Table:
    """Rows with missing numbers, numbers of few and of many distinct values, and some categories never seen before."""
    random = np.random.default_rng(seed)
    weight, price = random.normal(70, 12, rows), random.lognormal(1, 1, rows)
    stops = random.integers(0, 6, rows).astype(float)
    depots = np.minimum(random.exponential(2, rows).astype(int), 40)
    chance = 1 / (1 + np.exp(-((weight - 70) / 8 + stops / 2 - (depots == 1))))
    strange = random.random(rows) < unknown
    return pa.table(
        {
            "weight": np.where(random.random(rows) < 0.1, np.nan, weight).astype(np.float32),
            "price": price.astype(np.float32),
            "stops": np.where(random.random(rows) < 0.2, np.nan, stops).astype(np.float32),
            "depot": ["never seen" if new else DEPOTS[at] for at, new in zip(depots, strange, strict=True)],
            "road": [f"r{n}" for n in random.integers(0, 12 + 5 * bool(unknown), rows)],
            "label": random.random(rows) < chance,
            "time": np.arange(rows),
            "label_known_at": np.arange(rows),
        }
    )


def examples(rows: int) -> Examples:
    """Rows to fit on."""
    return examples_of(model.columns, model.objective, dataset(rows, seed=1))


def built(classifier: str, **options: Any) -> Model:
    """The model with a pipeline of those options."""

    def estimator(columns: Columns) -> Pipeline:
        return Pipeline([("prepare", prepare(columns, **options)), ("classify", CLASSIFIERS[classifier]())])

    return replace(model, estimator=estimator)


def scored(pipelines: Sequence[Pipeline], inputs: pd.DataFrame) -> Floats:
    """The scores by scikit-learn."""
    return outputs_of(model.objective, pipelines, inputs)


def served(pipelines: Sequence[Pipeline], inputs: pd.DataFrame) -> Floats:
    """The scores that would be served."""
    numeric = inputs[list(model.columns.numeric)].to_numpy(np.float32)
    texts = inputs[list(model.columns.categorical)].to_numpy(object)
    return Scorer(to_onnx(pipelines, model.columns, model.objective)).score(numeric, texts)


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    """The data is small: threads would wait for each other."""
    with threadpool_limits(1):
        yield


@pytest.mark.parametrize("classifier", CLASSIFIERS)
@pytest.mark.parametrize("case", range(len(NUMERIC)))
def test_every_option_is_served_as_it_was_trained(case: int, classifier: str) -> None:
    """Each choice for numbers and each pair of bins and encoding scores missing and unknown inputs alike."""
    numeric = NUMERIC[case]
    discretize, categorical = BESIDE[case % len(BESIDE)]
    if classifier == "linear" and numeric["impute"] is None:
        discretize = ALL_BINS  # a linear model takes no missing number; bins leave none
    options = {"numeric": numeric, "discretize": discretize, "categorical": categorical}
    pipelines = fit(built(classifier, **options), examples(600)).pipelines
    inputs = frame(model.columns, dataset(2_000, seed=2, unknown=0.1))
    assert parity(scored(pipelines, inputs), served(pipelines, inputs), LIMIT).largest < LIMIT


def prepared(session: Any, inputs: pd.DataFrame) -> Floats:
    """The matrix that ONNX makes of the inputs."""
    numeric = inputs[list(model.columns.numeric)].to_numpy(np.float32)
    texts = inputs[list(model.columns.categorical)].to_numpy(object)
    matrix: Floats = session.run(None, {"numeric": numeric, "categorical": texts})[0]
    return matrix


def exported(step: Any) -> Any:
    """A fitted preparation alone as an ONNX session."""
    return InferenceSession(_converted(Pipeline([("prepare", step)]), model.columns).SerializeToString())


@cache
def scaled(scale: str | None) -> tuple[Any, Any]:
    """A preparation with that scale, fitted once, and its session."""
    numeric: Any = {"impute": "mean", "indicate_missing": True, "scale": scale}
    step = prepare(model.columns, numeric=numeric, discretize={"stops": (1, 2.5, 4), "price": 3})
    step.fit(frame(model.columns, dataset(300, seed=3)))
    return step, exported(step)


@pytest.mark.parametrize("scale", SCALE)
@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(*[st.floats(-(2.0**99), 2.0**99, width=32) | st.just(np.nan) | st.sampled_from([1.0, 2.5, 4.0])] * 3),
        min_size=1,
        max_size=50,
    )
)
def test_numbers_are_prepared_to_the_bit(scale: Any, rows: list[tuple[float, float, float]]) -> None:
    """Any float32, one on an edge too, becomes the same bits: so a tree behind it sends every row the same way."""
    step, session = scaled(scale)
    inputs = pd.DataFrame(rows, columns=list(model.columns.numeric), dtype=np.float32)
    inputs = inputs.assign(depot="never seen", road="r1")
    np.testing.assert_array_equal(prepared(session, inputs), step.transform(inputs).astype(np.float32))


def test_a_column_that_is_missing_throughout_stays() -> None:
    """It is 0 or the given number after imputation, all zeros in bins, and the columns behind it keep their places."""
    rows = frame(model.columns, dataset(200, seed=1)).assign(weight=np.float32(np.nan), stops=np.float32(np.nan))
    step = prepare(model.columns, numeric={"impute": "median", "scale": "standard"}, discretize={"stops": 4})
    matrix = step.fit_transform(rows)
    assert (matrix[:, 0] == 0).all()
    assert (matrix[:, 2] == 0).all()
    np.testing.assert_array_equal(prepared(exported(step), rows), matrix.astype(np.float32))


def test_bins_hold_about_as_many_rows_each() -> None:
    """Eight bins of a continuous number have an eighth of the training rows each; repeated values make fewer bins."""
    numbers = np.random.default_rng(0).normal(size=(800, 1)).astype(np.float32)
    np.testing.assert_allclose(Discretizer([8]).fit_transform(numbers).sum(axis=0), 100, atol=1)
    repeated = np.array([[1.0], [2.0]]).repeat(50, axis=0)
    assert Discretizer([8]).fit_transform(repeated).sum(axis=0).tolist() == [50, 50]


def test_a_prepared_pipeline_is_stored_and_loads() -> None:
    """Two types need to be named as trusted, the discretizer and a number's type, and it prepares as before."""
    step = prepare(
        model.columns,
        numeric={"impute": "median", "indicate_missing": True, "scale": "robust"},
        discretize={"price": 4, "stops": (1, 2.5)},
        categorical={"encode": "ordinal", "min_frequency": 30},
    )
    inputs = frame(model.columns, dataset(300, seed=1))
    content = skops.io.dumps(step.fit(inputs))
    trusted = ["numpy.dtype", "smallbox.prepare.discretizer.Discretizer"]
    assert skops.io.get_untrusted_types(data=content) == trusted
    np.testing.assert_array_equal(skops.io.loads(content, trusted=trusted).transform(inputs), step.transform(inputs))


@pytest.mark.parametrize("missing", [slice(None), slice(510)], ids=["throughout", "where it fits"])
@pytest.mark.parametrize("scale", SCALE)
@pytest.mark.parametrize("discretize", [{}, {"weight": 8}])
def test_a_column_that_is_missing_in_all_rows_that_fit_is_not_used(missing: slice, scale: Any, discretize: Any) -> None:
    """A new source: its column changes no score, is named, and is served as it was trained when it begins to come."""
    rows = examples(600)
    weight = rows.inputs["weight"].to_numpy().copy()
    weight[missing] = np.nan
    without = replace(rows, inputs=rows.inputs.assign(weight=weight))
    trained = fit(built("trees", numeric={"scale": scale}, discretize=discretize), without)
    assert trained.missing == ("weight",)
    inputs = frame(model.columns, dataset(1_000, seed=2))
    scores = scored(trained.pipelines, inputs)
    assert parity(scores, served(trained.pipelines, inputs), LIMIT).largest < LIMIT
    np.testing.assert_array_equal(scores, scored(trained.pipelines, inputs.assign(weight=np.float32(np.nan))))
