"""Proves what happens when a label is judged by another loss, or is another one, while a champion serves."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from smallbox.aws.delta_lake import DeltaLake
from smallbox.define import Gate, Regression, label
from smallbox.define.project import project_of
from smallbox.documents.daily_run import DayDocument
from smallbox.release.by_hand import ByHandTask
from smallbox.times import format_moment
from tests.fakes.world import PRESENT
from tests.flow.jobs import A_DAY, classifier, job_model, job_round, jobs, results
from tests.flow.rounds import Round, regressor

BEFORE = job_model(
    "job_end",
    label(results, on="job_id", value="pieces", within="6h", otherwise=0, objective=Regression("squared")),
    regressor,
)
OTHER_LOSS = replace(BEFORE, label=replace(BEFORE.label, objective=Regression("absolute")))
OTHER_LABEL = replace(
    BEFORE,
    label=label(results, on="job_id", value="grade", within="6h"),
    estimator=classifier,
    gate=Gate(max_unlabelled=0.3),
)


@pytest.fixture(params=["fake", "delta"])
def lived(request: pytest.FixtureRequest, tmp_path: Path) -> Round:
    """A champion, and a day that it served; in a fake lake, and in Delta Lake on a folder."""
    around = job_round(BEFORE, DeltaLake(str(tmp_path), options={}) if request.param == "delta" else None)
    assert around.train()["accepted"]
    around.day()
    return around


def deploy(around: Round, model: Any) -> Any:
    """Deploy another definition, and train it."""
    around.model = model
    around.world.deploy(project_of([model], [jobs, results]))
    return around.train()


def promote(around: Round, version: int) -> None:
    """A person promotes a version."""
    by_hand = ByHandTask(around.world.project, around.world.registry, around.world.live)
    said = {"who": "test", "why": "test", "as_of": format_moment(around.now)}
    by_hand.run({"model": "job_end", "action": "promote", "version": version, **said}, PRESENT)


def loss_of(around: Round, day: DayDocument) -> Any:
    """The check of the mean loss on a day."""
    report = around.report(day)
    json.dumps(report, allow_nan=False)
    return next(check for check in report["checks"] if check["name"] == "loss")


@pytest.mark.parametrize("model", [OTHER_LOSS, OTHER_LABEL], ids=["another loss", "another label"])
def test_a_champion_of_another_objective_is_not_compared(lived: Round, model: Any) -> None:
    """Squares and absolutes, numbers and classes have no common mean: the gate says so, and the version waits."""
    run = deploy(lived, model)
    assert run["accepted"], run["verdict"]["why"]
    assert run["champion"] is None
    assert any("predicts another label" in one for one in run["warnings"])
    assert "champion" not in {check["name"] for check in run["verdict"]["checks"]}
    day = lived.day()
    assert (day["release"]["action"], "promotes it by hand" in day["release"]["why"]) == ("wait", True)
    assert loss_of(lived, day)["rows"] == A_DAY, "the champion is judged by its own objective meanwhile"


@pytest.mark.parametrize("model", [OTHER_LOSS, OTHER_LABEL], ids=["another loss", "another label"])
def test_the_promoted_version_is_judged_on_its_own_rows(lived: Round, model: Any) -> None:
    """Both labels share the table of labelled predictions, each in its column, and the check reads only its own."""
    assert deploy(lived, model)["version"] == 2
    promote(lived, 2)
    days = [lived.day() for _ in range(2)]
    assert all(answer["version"] in {1, 2} for answer in lived.answers.values())
    rows = [row for row in lived.labelled().to_pylist() if row["status"] == "labelled"]
    column = {1: "label_number", 2: model.objective.label_column}
    assert {row["version"] for row in rows} == {1, 2}
    assert all(row[column[row["version"]]] is not None for row in rows)
    loss = loss_of(lived, days[-1])
    assert 0 < loss["value"] < loss["limit"]
    assert loss["rows"] <= A_DAY
    assert loss["rows"] > 0.7 * A_DAY
