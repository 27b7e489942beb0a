"""Proves what becomes of a request for which the model gives no number: null everywhere, and in no mean."""

import json
from dataclasses import replace
from typing import Any

import pytest
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline

from smallbox.define import Columns, Gate, Regression, label, prepare
from smallbox.define.project import project_of
from smallbox.errors import NotReady
from smallbox.ports import Between
from smallbox.times import HOUR
from tests.flow.jobs import A_DAY, job_model, job_round, jobs, results
from tests.flow.rounds import START, Round


def linear(columns: Columns, quantile: float | None = None) -> Any:
    """The same linear model for every output; it gives NaN for a missing input that no training row had."""
    return Pipeline([("prepare", prepare(columns)), ("linear", LinearRegression())])


def filled(columns: Columns, quantile: float | None = None) -> Any:
    """The same with missing inputs filled in."""
    return Pipeline([("prepare", prepare(columns, numeric={"impute": "mean"})), ("linear", LinearRegression())])


MODEL = job_model(
    "job_hours",
    label(results, on="job_id", value="hours", within="6h", objective=Regression("squared", quantiles=(0.5,))),
    linear,
    gate=Gate(max_unlabelled=0.3),
    fallback={"score": 5.0, "score_q50": 5.0},
)


@pytest.fixture(scope="module")
def lived() -> Round:
    """A model that was trained on known sizes, and two days in which some sizes are missing."""
    drawn = job_round(MODEL)
    known = drawn.requests["size"].where(drawn.requests["at"] >= START, drawn.requests["size"].fillna(0.0))
    around = replace(drawn, requests=drawn.requests.assign(size=known))
    run = around.train()
    assert run["accepted"], run["verdict"]["why"]
    return around


def test_an_answer_without_a_number_is_valid_json(lived: Round) -> None:
    """A missing size gives null over HTTP and in the tensors, the other rows of the request keep their numbers."""
    asked = lived.instances(START, START + 6 * HOUR)
    missing = [one["size"] is None for one in asked]
    assert 0 < sum(missing) < len(asked)
    answers = lived.ask(asked)
    assert [one["score"] is None for one in answers] == missing
    assert [one["quantiles"]["0.5"] is None for one in answers] == missing
    tensors = lived.infer(asked)
    assert tensors["score"] == [one["score"] for one in answers]
    json.dumps([answers, dict(tensors)], allow_nan=False)


def test_log_file_join_and_losses_leave_it_out(lived: Round) -> None:
    """The log and a scored file hold nulls, the label is joined, and the day's mean is over the rows with numbers."""
    days = [lived.day() for _ in range(2)]
    log = lived.world.log.read(MODEL.name, Between("time", START, lived.now))
    asked = log.num_rows
    without = log["score"].null_count
    assert 0 < without < 0.2 * asked
    assert lived.file(START, START + 6 * HOUR)["score"].null_count > 0
    rows = [row for row in lived.labelled().to_pylist() if row["status"] == "labelled"]
    assert any(row["score"] is None and row["label_number"] is not None for row in rows)
    report = lived.report(days[-1])
    loss = next(check for check in report["checks"] if check["name"] == "loss")
    judged = report["accuracy"]["online"]
    assert 0 < loss["value"] < loss["limit"]
    assert loss["rows"] == judged["judged"] < judged["labelled"] <= A_DAY
    json.dumps(report, allow_nan=False)


def test_a_candidate_without_numbers_is_refused(lived: Round) -> None:
    """When validation rows have missing sizes, the candidate is refused with a sentence that says what to do."""
    with pytest.raises(NotReady, match=r"gives no number for \d+ of \d+ validation rows; fill in"):
        lived.train()


def test_a_champion_is_compared_where_it_gives_numbers(lived: Round) -> None:
    """A candidate that fills in missing sizes is compared on the rows for which the champion has numbers too."""
    lived.model = replace(MODEL, estimator=filled)
    lived.world.deploy(project_of([lived.model], [jobs, results]))
    run = lived.train()
    assert 0 < run["champion"]["rows"] < run["metrics"]["rows"]
    assert run["champion"]["difference"]["value"] is not None
    json.dumps(run, allow_nan=False)
