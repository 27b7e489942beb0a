"""Proves on the deployed stack that three kinds of label go round the loop: a boolean, a number and a text.

The models share sources, views and on-demand features. The tests are one story and run in their order.
"""

import io
from collections.abc import Mapping
from typing import Any, Final

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from smallbox.cli.demo import MODEL, OTHERS
from smallbox.cli.demo.three_objectives import ThreeObjectives
from smallbox.cli.replay.evidence import lake_of
from smallbox.define.project import load
from smallbox.lake.names import labelled_table
from smallbox.times import DAY, Micros, day_of
from tests.deployed.conftest import START, Deployed

pytestmark = pytest.mark.deployed

CLASSES: Final = ("on_time", "late", "very_late", "cancelled_or_diverted")


TRAINED: Final[Micros] = START + 11 * DAY
"""Until then the two others are trained. A week later a blizzard hides what a model is worth."""


@pytest.fixture(scope="module")
def now(deployed: Deployed) -> Micros:
    """When the three are asked: wherever the other stories ended."""
    deployed.send_until(max(deployed.known_until, TRAINED))
    return deployed.known_until


@pytest.fixture(scope="module")
def three(deployed: Deployed, now: Micros) -> ThreeObjectives:
    """The replayed model's champion, and the two others."""
    three = ThreeObjectives(deployed.system, deployed.flights, print, model=MODEL, others=OTHERS, at=now)
    three.rounds[MODEL].training = deployed.training
    return three


def test_each_is_trained_and_passes_the_gate(deployed: Deployed, three: ThreeObjectives) -> None:
    """Each has a loss below its baseline's on the same rows, and serves: now every model is ready."""
    three.train(TRAINED)
    for name, one in three.rounds.items():
        assert one.training["accepted"], f"{name}: {one.training['verdict']['why']}"
        assert one.training["metrics"]["loss"]["value"] < one.training["baseline"]["loss"]
        assert set(one.training["metrics"]["figures"]) == set(load().model(name).objective.figures)
    assert deployed.system.request("GET", "/v2/health/ready") == {"ready": True}


def test_each_answers_in_its_own_form(three: ThreeObjectives, now: Micros) -> None:
    """A probability, a number with ascending quantiles, a probability of each class; as tensors one of each output."""
    three.ask(now)
    for name, one in three.rounds.items():
        assert {answer["version"] > 0 for answer in one.answers} == {True}
        assert tuple(tensor["name"] for tensor in one.tensors) == load().model(name).objective.outputs
        assert {(tensor["datatype"], len(tensor["data"])) for tensor in one.tensors} == {("FP64", 1)}
        for answer in one.answers:
            _check_answer(name, answer)


def _check_answer(model: str, answer: Mapping[str, Any]) -> None:
    if model == MODEL:
        assert 0 < answer["score"] < 1
    elif "quantiles" in answer:
        quantiles = list(answer["quantiles"].values())
        assert list(answer["quantiles"]) == ["0.1", "0.5", "0.9"]
        assert quantiles == sorted(quantiles)
        assert -120 < answer["score"] < 600
    else:
        assert tuple(answer["score"]) == CLASSES
        assert sum(answer["score"].values()) == pytest.approx(1)
        assert answer["class"] == max(answer["score"], key=answer["score"].__getitem__)


def test_files_are_scored_and_labels_joined(deployed: Deployed, three: ThreeObjectives, now: Micros) -> None:
    """A file has a column for each output; when the windows are over all answers have labels of the label's type."""
    first_hour, until = len(three.rounds[MODEL].answers), now + 2 * DAY
    deployed.send_until(now + DAY)
    three.ask(now + DAY)
    deployed.send_until(until)
    three.score_and_join(until)
    lake = lake_of(deployed.system)
    for name in OTHERS:
        one, objective = three.rounds[name], load().model(name).objective
        assert one.scored > 500
        assert set(objective.outputs) <= set(_predictions(deployed, name).column_names)
        labelled = lake.read(labelled_table(name))
        assert labelled is not None
        labels = labelled.filter(pc.equal(labelled["status"], "labelled"))[objective.label_column]
        assert (labels.null_count, one.labels) == (0, len(labels))
        assert len(labels) > first_hour
    assert set(pc.unique(labels).to_pylist()) <= set(CLASSES)


def _predictions(deployed: Deployed, model: str) -> Any:
    s3, bucket = deployed.system.client("s3"), deployed.system.outputs["InboxBucket"]
    found = s3.list_objects_v2(Bucket=bucket, Prefix=f"score/{model}/out/")["Contents"]
    (key,) = [one["Key"] for one in found if one["Key"].endswith("predictions.parquet")]
    return pq.read_table(io.BytesIO(s3.get_object(Bucket=bucket, Key=key)["Body"].read()))


def test_each_day_is_checked_by_its_own_loss(deployed: Deployed, three: ThreeObjectives, now: Micros) -> None:
    """The day's report has each model's mean loss and figures, and no served value differs from its recomputation."""
    for name in three.rounds.keys() - {MODEL}:
        report = deployed.system.request("GET", f"/models/{name}/metrics/{day_of(now + DAY)}")
        checks = {check["name"]: check for check in report["checks"]}
        skew = [check for check in checks.values() if check["name"].startswith("skew:")]
        assert {check["value"] for check in skew} == {0}
        assert "loss" in checks
    assert deployed.system.dead_letters() == 0
