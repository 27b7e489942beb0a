"""Proves that a candidate is compared with the champion on the same requests, each with its own inputs."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from threadpoolctl import threadpool_limits

from smallbox.define import FeatureView, Retrain, label, mean
from smallbox.define.model import Model
from smallbox.define.project import project_of
from smallbox.documents.training_run import DatasetRun, FittedRun
from smallbox.errors import NotReady
from smallbox.lake.names import records_table
from smallbox.lake.parquet import from_parquet
from smallbox.lake.schemas import records_to_table
from smallbox.objectives.binary import Binary
from smallbox.objectives.measure import loss_difference, mean_loss, measure
from smallbox.objectives.objective import Scored
from smallbox.records import Record
from smallbox.registry.register import RegisterTask
from smallbox.registry.routing import first_champion
from smallbox.registry.scorer import Scorer
from smallbox.registry.signatures import Signatures
from smallbox.registry.store import Registry
from smallbox.times import DAY, HOUR, format_moment
from smallbox.training.dataset import DatasetTask
from smallbox.training.dataset_rows import build_dataset
from smallbox.training.examples import Examples, examples_of
from smallbox.training.fit import FitTask
from tests.fakes.documents import FakeDocuments
from tests.fakes.edges import FakeBlobs
from tests.fakes.lake import FakeLake
from tests.fakes.small import deliveries, late_parcel, parcels

DAYS, A_DAY = 20, 96
AS_OF = DAYS * DAY


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    """The data is small: threads would wait for each other."""
    with threadpool_limits(1):
        yield


def _over(window: str) -> FeatureView:
    return FeatureView("depot", entity="depot", source=deliveries, features={"depot_delay": mean("delay", window)})


OLD = replace(late_parcel, inputs=("weight",), views=(_over("3h"),), retrain=Retrain(window="18d", validation="3d"))
NEW = replace(OLD, views=(_over("5d"),))
"""The same columns as the champion's, but the mean of five days under the name of the mean of three hours."""
MORE = replace(OLD, inputs=("weight", "depot"))
OTHER_LABEL = replace(OLD, label=label(deliveries, on="parcel_id", value="late", within="12h"))


def _lake() -> FakeLake:
    """Parcels that are late when they are heavy, and when their depot was late in the hours before."""
    random, rows = np.random.default_rng(3), DAYS * A_DAY
    sent_at = np.arange(rows) * (DAY // A_DAY)
    weight, depots = random.normal(size=rows), random.integers(0, 3, rows)
    slow = np.sin(sent_at / (5 * HOUR) + depots * 2)
    late = random.random(rows) < 1 / (1 + np.exp(-(2 * weight + 3 * slow)))
    sent, done = [], []
    for n in range(rows):
        key, at, depot = f"p{n}", int(sent_at[n]), f"d{depots[n]}"
        asked: dict[str, Any] = {"parcel_id": key, "sent_at": at, "depot": depot, "weight": float(weight[n])}
        sent.append(Record("parcels", key, at, at, at, asked))
        out = at + HOUR
        outcome: dict[str, Any] = {
            "parcel_id": key, "delivered_at": out, "depot": depot, "delay": float(slow[n]), "late": bool(late[n]),
        }  # fmt: skip
        done.append(Record("deliveries", key, out, out, out, outcome))
    lake = FakeLake()
    for source, records in ((parcels, sent), (deliveries, done)):
        lake.append(records_table(source), records_to_table(source, records))
    return lake


LAKE = _lake()


class Trainer:
    """Trains definitions one after another, over one registry."""

    def __init__(self) -> None:
        self.registry, self.blobs = Registry(FakeDocuments()), FakeBlobs()

    def dataset(self, model: Model) -> DatasetRun:
        """The first step."""
        project = project_of([model], [deliveries])
        signatures = Signatures(project, self.registry, self.blobs)
        asked: Any = {"model": model.name, "as_of": format_moment(AS_OF)}
        return DatasetTask(project, LAKE, self.blobs, self.registry, signatures).run(asked, AS_OF)

    def fit(self, model: Model, built: DatasetRun) -> FittedRun:
        """The second step."""
        return FitTask(project_of([model], [deliveries]), self.blobs, self.registry).run(built)

    def train(self, model: Model) -> Any:
        """All steps, up to the registry's."""
        run = self.fit(model, self.dataset(model))
        return RegisterTask(project_of([model], [deliveries]), self.registry, self.blobs).run(run)

    def scored(self, number: int, rows: Examples) -> Scored:
        """Rows with a version's outputs."""
        version = self.registry.get(OLD.name, number)
        scorer = Scorer(self.blobs.get(version.onnx_key), version.onnx_sha256)
        return rows.scored(scorer.score(rows.numeric, rows.categorical))


def _validation(model: Model) -> Examples:
    """The validation rows with the inputs that they have where this definition is the deployed one."""
    rows = build_dataset(project_of([model], [deliveries]), model, LAKE, AS_OF).rows
    end = AS_OF - model.label.within_micros
    kept = rows.filter(pa.compute.greater_equal(rows["time"], end - 3 * DAY))
    return examples_of(model.columns, model.objective, kept)


@pytest.fixture(scope="module")
def trainer() -> Trainer:
    """A champion of the old definition."""
    trained = Trainer()
    trained.train(OLD)
    trained.registry.route(OLD.name, first_champion(1, 0))
    return trained


@pytest.mark.parametrize("model", [NEW, MORE], ids=["another window of one name", "another column"])
def test_the_champion_is_compared_on_its_own_inputs(trainer: Trainer, model: Model) -> None:
    """Its metrics and the difference are those of its scores where its own definition is deployed, on the same rows."""
    run = trainer.train(model)
    ours, theirs = _validation(model), _validation(OLD)
    np.testing.assert_array_equal(ours.times, theirs.times)
    days = ours.times // DAY
    scored, compared = trainer.scored(1, theirs), run["champion"]
    assert {name: compared[name] for name in run["metrics"]} == measure(Binary(), scored, days)
    difference = loss_difference(Binary(), trainer.scored(run["version"], ours), scored, days)
    assert (compared["version"], compared["difference"]) == (1, difference.as_json())
    assert difference.value == pytest.approx(run["metrics"]["loss"]["value"] - compared["loss"]["value"])
    assert trainer.registry.get(OLD.name, run["version"]).parent == 1


def test_the_inputs_of_the_candidate_would_be_others(trainer: Trainer) -> None:
    """The comparison can fail: on the new window's values the champion is another model."""
    right, wrong = (trainer.scored(1, _validation(model)) for model in (OLD, NEW))
    assert mean_loss(Binary(), right).value < mean_loss(Binary(), wrong).value - 0.02


def test_an_unchanged_definition_computes_nothing_twice(trainer: Trainer) -> None:
    """The champion of the same signature has the candidate's inputs, and is compared on them."""
    built = trainer.dataset(OLD)
    assert built["compared_with"] == {"version": 1, "inputs": ""}
    compared = trainer.fit(OLD, built)["champion"]
    assert compared is not None
    assert compared["loss"]["value"] == mean_loss(Binary(), trainer.scored(1, _validation(OLD))).value


def test_a_champion_of_another_label_is_not_compared_and_the_verdict_says_so(trainer: Trainer) -> None:
    """There is no check of the champion in the verdict; its sentence names the version and the reason."""
    run = trainer.train(OTHER_LABEL)
    assert (run["compared_with"], run["champion"]) == (None, None)
    assert "champion" not in [check["name"] for check in run["verdict"]["checks"]]
    said = "version 1, the champion, predicts another label, so it was not compared with"
    assert said in run["verdict"]["why"]
    assert said in trainer.registry.history(OLD.name)[-1]["why"]
    assert said not in trainer.train(NEW)["verdict"]["why"]


def test_inputs_of_other_requests_are_refused(trainer: Trainer) -> None:
    """A champion is never compared on rows that are not the candidate's."""
    built = trainer.dataset(NEW)
    compared_with = built["compared_with"]
    assert compared_with is not None
    rows = from_parquet(trainer.blobs.get(compared_with["inputs"]))
    assert rows["key"].to_pylist() == [f"p{n}" for n in range(16 * A_DAY, 19 * A_DAY)]
    swapped: DatasetRun = {**built, "compared_with": {"version": 1, "inputs": built["silent"]}}
    with pytest.raises(NotReady, match="the inputs of version 1 are of other requests; train again"):
        trainer.fit(NEW, swapped)


def test_a_definition_that_changed_during_the_run_is_refused() -> None:
    """Between dataset and fit, and between fit and register: in words, and nothing is registered."""
    trainer = Trainer()
    built = trainer.dataset(OLD)
    with pytest.raises(NotReady, match="the definition of late_parcel was changed while it was trained; train again"):
        trainer.fit(NEW, built)
    run, stored = trainer.fit(OLD, built), dict(trainer.blobs.objects)
    with pytest.raises(NotReady, match="was changed while it was trained"):
        RegisterTask(project_of([NEW], [deliveries]), trainer.registry, trainer.blobs).run(run)
    assert (trainer.registry.versions(OLD.name), trainer.registry.history(OLD.name)) == ([], [])
    assert trainer.blobs.objects == stored
