"""Proves that a model of every kind of label is trained from records to a version, with the figures of its kind."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
import pytest
import skops.io
from threadpoolctl import threadpool_limits

from smallbox.define import (
    Columns,
    Model,
    Ranking,
    Regression,
    Release,
    Retrain,
    Source,
    boolean,
    integer,
    label,
    number,
    prepare,
    text,
    timestamp,
)
from smallbox.define.project import project_of
from smallbox.define.rules import Gate
from smallbox.lake.names import records_table
from smallbox.lake.parquet import from_parquet
from smallbox.lake.schemas import records_to_table
from smallbox.objectives.binary import Binary
from smallbox.objectives.multiclass import Multiclass
from smallbox.profiles.profile import merged_profiles
from smallbox.profiles.stored import LABEL_COLUMN, LOSS_COLUMN, ReferenceDays
from smallbox.records import Record
from smallbox.registry.register import RegisterTask
from smallbox.registry.routing import first_champion
from smallbox.registry.scorer import Scorer
from smallbox.registry.signatures import Signatures
from smallbox.registry.store import Registry
from smallbox.times import DAY, HOUR, format_moment
from smallbox.training.dataset import DatasetTask
from smallbox.training.examples import examples_of
from smallbox.training.fit import FitTask
from tests.fakes.documents import FakeDocuments
from tests.fakes.edges import FakeBlobs
from tests.fakes.lake import FakeLake

DAYS, A_DAY = 20, 96
AS_OF = DAYS * DAY

offers = Source(
    "offers",
    key="offer_id",
    time="shown_at",
    fields={"offer_id": text(), "shown_at": timestamp(), "weight": number(), "kind": text(), "search_id": text()},
    known_after="0s",
)
outcomes = Source(
    "outcomes",
    key="offer_id",
    time="ended_at",
    fields={
        "offer_id": text(),
        "ended_at": timestamp(),
        "taken": boolean(),
        "delay": number(),
        "visits": integer(),
        "grade": integer(),
        "state": text(choices=("on time", "late", "Very late")),
    },
    known_after="0s",
)


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    """The data is small: threads would wait for each other."""
    with threadpool_limits(1):
        yield


def _classifier(columns: Columns) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415
    from sklearn.pipeline import Pipeline  # noqa: PLC0415

    trees = HistGradientBoostingClassifier(max_iter=20, max_leaf_nodes=8, random_state=0)
    return Pipeline([("prepare", prepare(columns)), ("trees", trees)])


def _regressor(columns: Columns, quantile: float | None = None) -> Any:
    from sklearn.ensemble import HistGradientBoostingRegressor  # noqa: PLC0415
    from sklearn.pipeline import Pipeline  # noqa: PLC0415

    options: Any = {"loss": "squared_error"} if quantile is None else {"loss": "quantile", "quantile": quantile}
    trees = HistGradientBoostingRegressor(max_iter=30, max_leaf_nodes=8, random_state=0, **options)
    return Pipeline([("prepare", prepare(columns)), ("trees", trees)])


def _model(value: str, estimator: Any, objective: Any = None, otherwise: Any = None) -> Model:
    return Model(
        f"offer_{value}",
        request=offers,
        inputs=("weight", "kind"),
        views=(),
        label=label(outcomes, on="offer_id", value=value, within="24h", objective=objective, otherwise=otherwise),
        estimator=estimator,
        gate=Gate(),
        release=Release(shadow=None, canary=None),
        retrain=Retrain(window="20d", validation="5d"),
    )


MODELS: Final[Mapping[str, Model]] = {
    "binary": _model("taken", _classifier),
    "multiclass": _model("state", _classifier, otherwise="lost"),
    "squared and quantiles": _model("delay", _regressor, Regression("squared", (0.1, 0.5, 0.9)), otherwise=99),
    "quantiles alone": _model("delay", _regressor, Regression("quantile", (0.1, 0.9))),
    "an integer": _model("visits", _regressor),
    "ranking": _model("grade", _regressor, Ranking("search_id"), otherwise=0),
}


def _lake() -> FakeLake:
    """Offers, eight of one search; of a tenth no outcome ever comes."""
    random, rows = np.random.default_rng(3), DAYS * A_DAY
    shown_at = np.arange(rows) * (DAY // A_DAY)
    weight, kinds = random.normal(size=rows), random.integers(0, 3, rows)
    signal = 1.5 * weight + (kinds == 1) + random.normal(size=rows)
    asked, known = [], []
    for n, at in enumerate(shown_at.tolist()):
        key, one = f"o{n}", float(signal[n])
        values: Any = {"weight": float(weight[n]), "kind": f"k{kinds[n]}", "search_id": f"s{n // 8}"}
        asked.append(Record("offers", key, at, at, at, {"offer_id": key, "shown_at": at, **values}))
        if random.random() < 0.1:
            continue
        outcome: Any = {
            "taken": one > 1,
            "delay": 20 * one,
            "visits": int(random.poisson(np.exp(one / 2))),
            "grade": int(np.digitize(one, [0.5, 2.0])),
            "state": ("on time", "late", "Very late")[int(np.digitize(one, [0.0, 2.0]))],
        }
        out = at + HOUR
        known.append(Record("outcomes", key, out, out, out, {"offer_id": key, "ended_at": out, **outcome}))
    lake = FakeLake()
    for source, records in ((offers, asked), (outcomes, known)):
        lake.append(records_table(source), records_to_table(source, records))
    return lake


LAKE = _lake()


class Trainer:
    """Trains one model over one registry."""

    def __init__(self, model: Model) -> None:
        self.project, self.model = project_of([model], [outcomes]), model
        self.registry, self.blobs = Registry(FakeDocuments()), FakeBlobs()

    def train(self, document: Any = None) -> Any:
        """All three tasks; the first one may be given."""
        signatures = Signatures(self.project, self.registry, self.blobs)
        asked: Any = {"model": self.model.name, "as_of": format_moment(AS_OF)}
        built = DatasetTask(self.project, LAKE, self.blobs, self.registry, signatures).run(asked, AS_OF)
        run = FitTask(self.project, self.blobs, self.registry).run({**built, **(document or {})})
        return RegisterTask(self.project, self.registry, self.blobs).run(run)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_a_model_is_trained_from_records_to_a_version(model: Model) -> None:
    """It beats the constant significantly, has the figures of its kind, and its files have a column for each output."""
    trainer, objective = Trainer(model), model.objective
    run = trainer.train()
    assert run["accepted"], run["verdict"]["why"]
    assert tuple(run["metrics"]["figures"]) == objective.figures
    assert run["baseline"]["difference"]["high"] < 0
    objective.check_outputs(tuple(run["baseline"]["outputs"]), "baseline")
    assert run["parity"]["largest"] <= run["parity"]["limit"]
    assert run["parity"]["rows"] == run["metrics"]["rows"] == run["counts"]["validation"]
    assert set(objective.outputs) <= json.loads(trainer.blobs.get(run["artifacts"]["profile_key"])).keys()
    stored = trainer.blobs.get(run["artifacts"]["pipeline_key"])
    trusted = skops.io.get_untrusted_types(data=stored)
    assert len(skops.io.loads(stored, trusted=trusted)) == len(objective.heads)
    json.dumps(run, allow_nan=False)


@pytest.mark.parametrize("name", ["multiclass", "ranking"])
def test_a_version_has_a_reference_by_day(name: str) -> None:
    """Its days have all rows of the dataset; outputs and losses are those of the validation rows, and their mean."""
    trainer = Trainer(MODELS[name])
    run, objective = trainer.train(), trainer.model.objective
    key = trainer.registry.get(trainer.model.name, run["version"]).reference_key
    reference = ReferenceDays.from_bytes(trainer.blobs.get(key))
    dataset = from_parquet(trainer.blobs.get(run["dataset"]))
    days, counts = np.unique(dataset["time"].to_numpy() // DAY * DAY, return_counts=True)
    assert {day: one.rows for day, one in reference.days.items()} == dict(zip(days, counts, strict=True))
    whole = merged_profiles(reference.layout, reference.days.values())
    assert whole.column(objective.outputs[0]).known == run["counts"]["validation"]
    assert whole.column(LOSS_COLUMN).mean == pytest.approx(run["metrics"]["loss"]["value"], abs=1e-6)
    assert whole.column(LABEL_COLUMN).known == len(dataset)
    assert set(trainer.model.columns.names) <= reference.layout.columns.keys()


@pytest.mark.parametrize("name", ["multiclass", "squared and quantiles", "ranking"])
def test_the_stored_graph_gives_the_measured_loss(name: str) -> None:
    """The outputs of the stored ONNX for the validation rows have the mean loss that the version states."""
    trainer = Trainer(MODELS[name])
    run, objective = trainer.train(), trainer.model.objective
    rows = examples_of(trainer.model.columns, objective, from_parquet(trainer.blobs.get(run["dataset"])))
    judged = rows.take(slice(len(rows) - run["counts"]["validation"], None))
    scorer = Scorer(trainer.blobs.get(run["artifacts"]["onnx_key"]), run["artifacts"]["onnx_sha256"])
    scored = judged.scored(scorer.score(judged.numeric, judged.categorical))
    assert objective.losses(scored).values.mean() == pytest.approx(run["metrics"]["loss"]["value"], abs=1e-9)


@pytest.mark.parametrize("name", ["multiclass", "quantiles alone", "ranking"])
def test_the_same_model_again_is_no_better_than_itself(name: str) -> None:
    """Beside a champion of the same training the difference is surely 0, and both losses are one."""
    trainer = Trainer(MODELS[name])
    trainer.train()
    trainer.registry.route(trainer.model.name, first_champion(1, 0))
    again = trainer.train()
    assert again["champion"]["difference"] == {"value": 0, "low": 0, "high": 0}
    assert again["champion"]["loss"] == again["metrics"]["loss"]


def test_a_missing_outcome_is_a_class_a_number_or_a_grade_where_it_is_so_declared() -> None:
    """With ``otherwise`` no request is unlabelled; without it a tenth is, and is left out."""
    labels = {}
    for name in ("multiclass", "squared and quantiles", "ranking", "quantiles alone"):
        trainer = Trainer(MODELS[name])
        run = trainer.train()
        labels[name] = set(from_parquet(trainer.blobs.get(run["dataset"]))["label"].to_pylist())
        assert (run["counts"]["unlabelled"] == 0) == (name != "quantiles alone")
    assert labels["multiclass"] == {"on time", "late", "Very late", "lost"}
    assert 99.0 in labels["squared and quantiles"]
    assert labels["ranking"] == {0, 1, 2}


def test_only_a_ranking_has_groups_and_they_are_those_of_the_request() -> None:
    """The eight offers of a search are one group; of another objective all rows are one."""
    for name in ("ranking", "binary"):
        trainer = Trainer(MODELS[name])
        rows = from_parquet(trainer.blobs.get(trainer.train()["dataset"]))
        groups = examples_of(trainer.model.columns, trainer.model.objective, rows).groups
        assert ("group" in rows.column_names) == (name == "ranking")
        searches = [int(key[1:]) // 8 for key in rows["key"].to_pylist()] if name == "ranking" else [0] * len(rows)
        pairs = set(zip(groups.tolist(), searches, strict=True))
        assert len(pairs) == len(set(searches)) == len(set(groups.tolist()))


def test_the_type_of_a_label_gives_its_objective() -> None:
    """By default: binary for a boolean, classes for a text with choices and for silence, squared loss for a number."""
    assert MODELS["binary"].objective == Binary()
    assert MODELS["multiclass"].objective == Multiclass(("on time", "late", "Very late", "lost"))
    assert MODELS["an integer"].objective == Regression("squared")
