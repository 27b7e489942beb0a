"""Proves that a class, a number with quantiles and a count go round the loop, as small definitions."""

import json
from typing import Any

import pytest

from smallbox.define import Columns, Gate, Regression, ceiling, floor, label, prepare
from smallbox.times import HOUR
from tests.flow.jobs import A_DAY, classifier, job_model, job_round, results
from tests.flow.rounds import Lived, go_round

WITHIN = "6h"


def quantiles(columns: Columns, quantile: float | None = None) -> Any:
    """Trees of the mean, or of a quantile."""
    from sklearn.ensemble import HistGradientBoostingRegressor  # noqa: PLC0415
    from sklearn.pipeline import Pipeline  # noqa: PLC0415

    loss = "squared_error" if quantile is None else "quantile"
    trees = HistGradientBoostingRegressor(loss=loss, quantile=quantile, max_iter=15, max_leaf_nodes=8, random_state=0)
    return Pipeline([("prepare", prepare(columns)), ("trees", trees)])


def counts(columns: Columns) -> Any:
    """Trees of the mean of a count."""
    from sklearn.ensemble import HistGradientBoostingRegressor  # noqa: PLC0415
    from sklearn.pipeline import Pipeline  # noqa: PLC0415

    trees = HistGradientBoostingRegressor(loss="poisson", max_iter=15, max_leaf_nodes=8, random_state=0)
    return Pipeline([("prepare", prepare(columns)), ("trees", trees)])


MODELS = {
    "job_grade": job_model(
        "job_grade",
        label(results, on="job_id", value="grade", within=WITHIN, otherwise="never ended"),
        classifier,
        gate=Gate(guardrails=(floor("accuracy", 0.5), floor("macro_f1", 0.3)), max_loss_increase=0.2),
        fallback={"Low": 0.2, "mid-range": 0.4, "höchste": 0.3, "never ended": 0.1},
    ),
    "job_hours": job_model(
        "job_hours",
        label(
            results,
            on="job_id",
            value="hours",
            within=WITHIN,
            objective=Regression("squared", quantiles=(0.1, 0.5, 0.9)),
        ),
        quantiles,
        gate=Gate(guardrails=(ceiling("mae", 3),), max_loss_increase=0.2, max_unlabelled=0.3),
        fallback={"score": 5.0, "score_q10": 0.0, "score_q50": 5.0, "score_q90": 10.0},
    ),
    "job_pieces": job_model(
        "job_pieces",
        label(results, on="job_id", value="pieces", within=WITHIN, otherwise=0, objective=Regression("poisson")),
        counts,
        fallback=1.0,
    ),
}


@pytest.fixture(scope="module", params=MODELS)
def lived(request: pytest.FixtureRequest) -> Lived:
    """A model that went round the loop."""
    return go_round(job_round(MODELS[request.param]))


def test_the_gate_compares_mean_losses(lived: Lived) -> None:
    """A candidate is better than the best constant, ONNX is scikit-learn, and the second stands beside the first."""
    for run in (lived.first, lived.second):
        assert run["baseline"]["difference"]["high"] < 0
        assert run["parity"]["largest"] <= run["parity"]["limit"]
        assert set(run["metrics"]["figures"]) == set(lived.around.model.objective.figures)
        json.dumps(run, allow_nan=False)
    assert lived.first["champion"] is None
    assert lived.second["champion"]["version"] == 1
    assert {check["name"] for check in lived.second["verdict"]["checks"]} >= {"baseline", "champion"}


def test_every_way_of_asking_gives_the_same_outputs(lived: Lived) -> None:
    """HTTP, the inference protocol and a scored file agree, output by output."""
    objective = lived.around.model.objective
    assert list(lived.tensors) == list(objective.outputs)
    assert [name for name in lived.file.column_names if name.startswith("score")] == list(objective.outputs)
    assert lived.file.select(list(objective.outputs)).to_pydict() == dict(lived.tensors)
    rows = zip(*lived.tensors.values(), strict=True)
    said = [{name: one[name] for name in objective.answer([0.0] * len(objective.outputs))} for one in lived.answers]
    assert said == [objective.answer(row) for row in rows]
    json.dumps(lived.answers, allow_nan=False)


def test_labels_are_joined_and_the_day_is_judged(lived: Lived) -> None:
    """Each prediction whose window is over has its own outcome; the day's mean loss beats the baseline, unbreached."""
    objective, rows = lived.around.model.objective, lived.around.labelled()
    value = lived.around.model.label.value
    happened = dict(zip(lived.around.outcomes["job_id"], lived.around.outcomes[value], strict=True))
    known = [row for row in rows.to_pylist() if row["status"] == "labelled"]
    otherwise = lived.around.model.label.otherwise
    assert len(known) > A_DAY
    assert all(row[objective.label_column] == happened.get(row["key"], otherwise) for row in known)
    loss = next(one for one in lived.around.report(lived.days[-1])["checks"] if one["name"] == "loss")
    assert loss["rows"] > 0.8 * A_DAY
    assert loss["value"] < loss["limit"]
    assert lived.days[-1]["breaches"] == {"data": 0, "features": 0, "predictions": 0, "accuracy": 0}
    json.dumps(lived.around.report(lived.days[-1]), allow_nan=False)


def test_a_release_compares_mean_losses(lived: Lived) -> None:
    """The shadow of the second version decides by mean loss on the same rows, then both arms answer, without harm."""
    actions = [one["action"] for one in lived.reviews]
    assert [one for one in actions if one != "wait"] == ["start", "promote"], lived.reviews[-1]["why"]
    shadow = lived.reviews[actions.index("start")]["evidence"]
    assert shadow["rows"] > 50
    assert shadow["over_margin_high"] < 0
    harm = {one["figure"]: one for one in lived.reviews[-1]["evidence"]["limits"]}
    assert min(harm["fallback"]["requests"]) > 50
    assert harm["loss"]["champion"] > 0
    json.dumps(lived.reviews, allow_nan=False)


@pytest.mark.parametrize("lived", ["job_grade"], indirect=True)
def test_silence_is_a_class_that_no_record_names(lived: Lived) -> None:
    """The class ``otherwise`` is an output, is learned, and is joined when the window is over."""
    assert list(lived.tensors)[-1] == "score_never_ended"
    assert lived.first["counts"]["unlabelled"] == 0
    risky = [one["score"]["never ended"] for one, sent in zip(lived.answers, lived.asked, strict=True)]
    assert 0 < min(risky) < max(risky) < 1
    rows = lived.around.labelled().to_pylist()
    silent = [row for row in rows if row["label_text"] == "never ended"]
    assert len(silent) > 10
    assert all(row["label_known_at"] == row["event_time"] + 6 * HOUR for row in silent)


@pytest.mark.parametrize("lived", ["job_hours"], indirect=True)
def test_quantiles_ascend_and_cover(lived: Lived) -> None:
    """The three quantiles ascend in every answer, and the outer ones lie below few and most labels."""
    for one in lived.answers:
        assert list(one["quantiles"]) == ["0.1", "0.5", "0.9"]
        assert sorted(one["quantiles"].values()) == list(one["quantiles"].values())
    figures = lived.first["metrics"]["figures"]
    assert figures["below_q10"]["low"] < 0.2
    assert figures["below_q90"]["high"] > 0.8
