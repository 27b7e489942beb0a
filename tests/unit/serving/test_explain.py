"""Proves what an answer says of itself when it is asked to: its way to the score, its edge cases and its times."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from types import SimpleNamespace
from typing import Any, Final

import numpy as np
import pytest

from smallbox.define import number
from smallbox.define.model import Model
from smallbox.errors import TooLarge
from smallbox.explanations.stored import explainer_to_bytes
from smallbox.objectives.objective import Objective
from smallbox.records import Record
from smallbox.request_sizes import EXPLAINED_LIMIT
from smallbox.serving.predict import PredictTask
from smallbox.times import DAY, Moment
from smallbox.training.examples import examples_of
from smallbox.training.explain_version import explainer_of
from smallbox.training.export import to_onnx
from smallbox.training.fit_model import fit
from tests.fakes.serving import Serving
from tests.fakes.small import dataset, late_parcel, parcels

NOW: Final = 100 * DAY
ASKED: Final[Mapping[str, Any]] = {"parcel_id": "p", "depot": "d1", "weight": 1.5}
HIDDEN: Final = replace(
    late_parcel, request=replace(parcels, fields={**parcels.fields, "weight": number(nullable=True, pii=True)})
)


@cache
def _trained() -> tuple[bytes, bytes]:
    """The model and its explainer."""
    objective: Objective = late_parcel.objective
    train = examples_of(late_parcel.columns, objective, dataset(1200, seed=0))
    pipelines = fit(late_parcel, train).pipelines
    onnx = to_onnx(pipelines, late_parcel.columns, objective)
    model: Any = SimpleNamespace(objective=objective, columns=late_parcel.columns, explain_baseline=None)
    return onnx, explainer_to_bytes(explainer_of(model, pipelines, onnx, train))


def _serving(model: Model = late_parcel, *, sha256: str | None = None, is_explained: bool = True) -> Serving:
    """A champion, with an explainer beside it; the depot d1 has one late delivery behind it."""
    serving, (onnx, explainer) = Serving(model), _trained()
    number = serving.register(model, onnx)
    version = serving.registry.get(model.name, number)
    if is_explained:
        digest = sha256 or hashlib.sha256(explainer).hexdigest()
        version = replace(version, explainer_key="explainer.npz", explainer_sha256=digest)
        serving.blobs.put("explainer.npz", explainer)
    serving.route(serving.registry.add(version).number)
    at = NOW - 1
    values: dict[str, Any] = {"parcel_id": "q", "delivered_at": at, "depot": "d1", "delay": 1.0, "late": True}
    serving.stream([Record("deliveries", "q", at, at, at, values)], NOW)
    return serving


def _answer(serving: Serving, *instances: Mapping[str, Any], **asked: Any) -> Any:
    document = {"instances": list(instances or (ASKED,)), **asked}
    return serving.predictor.predict(late_parcel.name, document, Moment(NOW), NOW, "r")


def test_contributions_lead_from_the_request_to_the_score() -> None:
    """Request, state and features are those of the answer, and base and contributions add up to its log-odds."""
    (answer,) = _answer(_serving(), explain=True)["predictions"]
    found = answer["explanation"]
    assert found["request"] == {"weight": 1.5, "depot": "d1"}
    assert found["state"] == {"depot": {"entity": "d1", "features": {"depot_delay_3h": 1.0}}}
    assert (found["method"], found["exact"], found["scale"]) == ("tree_shap", True, "log_odds")
    assert found["background"] == "training_rows"
    parts = {one["feature"]: (one["value"], one["contribution"]["score"]) for one in found["contributions"]}
    assert {name: value for name, (value, _) in parts.items()} == answer["inputs"]
    sizes = [abs(contribution) for _, contribution in parts.values()]
    assert sizes == sorted(sizes, reverse=True)
    total = found["base"]["score"] + sum(contribution for _, contribution in parts.values())
    assert found["total"]["score"] == pytest.approx(total, abs=1e-12)
    assert answer["score"] == pytest.approx(1 / (1 + np.exp(-total)), abs=1e-6)
    json.dumps(answer, allow_nan=False)


def test_personal_features_are_one_contribution() -> None:
    """No personal value or name is told; what these features add is, together, so that the sum stays the same."""
    (plain,), (hidden,) = (_answer(_serving(m), explain=True)["predictions"] for m in (late_parcel, HIDDEN))
    assert set(hidden["explanation"]["request"]) == {"depot"}
    parts = [
        {one["feature"]: one["contribution"]["score"] for one in answer["explanation"]["contributions"]}
        for answer in (plain, hidden)
    ]
    assert parts[1] == {"personal": parts[0]["weight"], **{n: v for n, v in parts[0].items() if n != "weight"}}
    assert {one["value"] for one in hidden["explanation"]["contributions"]} == {None, 1.0, "d1"}
    (flagged,) = _answer(_serving(HIDDEN), {**ASKED, "weight": 1e9}, flags=True)["predictions"]
    assert flagged["flags"]["out_of_range"] == ["personal"]


def test_flags_name_the_edge_cases_of_each_row() -> None:
    """An ordinary row has none; another one's number, text and distance are each named. Asked for flags alone."""
    strange = {"parcel_id": "q", "depot": "mars", "weight": -50.0}
    ordinary, flagged = _answer(_serving(), ASKED, strange, flags=True)["predictions"]
    assert ordinary["flags"] == {"out_of_range": [], "unseen_category": [], "far_from_training": False}
    assert flagged["flags"]["out_of_range"] == ["weight"]
    assert flagged["flags"]["unseen_category"] == ["depot"]
    assert "explanation" not in ordinary
    assert "inputs" not in ordinary


def test_nothing_is_read_or_said_unless_it_is_asked_for() -> None:
    """A plain request neither reads the explainer nor has more in its answer."""
    serving = _serving()
    serving.blobs.delete("explainer.npz")
    answered = _answer(serving)
    assert set(answered) == {"model", "predictions"}
    assert set(answered["predictions"][0]) == {"id", "score", "version", "arm", "missing", "prediction_id"}


@pytest.mark.parametrize(
    ("serving", "why"),
    [
        (lambda: _serving(is_explained=False), "an earlier release trained version 2"),
        (lambda: _serving(sha256="0" * 64), "do not match their registered checksum"),
        (lambda: Serving(replace(late_parcel, fallback=0.3)), "no model answered"),
    ],
    ids=["older version", "damaged", "fallback"],
)
def test_an_answer_without_an_explanation_says_why(serving: Any, why: str) -> None:
    """The prediction is answered all the same."""
    (answer,) = _answer(serving(), explain=True)["predictions"]
    assert 0 < answer["score"] < 1
    assert why in answer["explanation"]["unavailable"]
    assert answer["flags"] is None


def test_the_steps_are_timed_when_an_explanation_is_asked_for() -> None:
    """Each step has its milliseconds by the clock that the task was given; a clock that is not asked for stands."""
    serving = _serving()
    clock: Iterator[int] = iter(range(0, 10**6, 2_000))
    timed = PredictTask(
        serving.project,
        serving.online,
        serving.live,
        serving.loader,
        serving.log,
        serving.fallbacks,
        lambda: next(clock),
    )
    moment = Moment(NOW)
    timed.predict(late_parcel.name, {"instances": [ASKED]}, moment, NOW, "r")
    answered = timed.predict(late_parcel.name, {"instances": [ASKED], "explain": True}, moment, NOW, "r")
    steps = ["request", "routing", "version", "states", "score", "log", "explain"]
    assert list(answered["milliseconds"].items()) == [(step, 2.0) for step in steps]
    assert next(clock) == (len(steps) + 1) * 2_000


def test_fewer_instances_are_explained_at_once() -> None:
    """An explanation takes longer than a prediction."""
    instances = [{**ASKED, "parcel_id": f"p{n}"} for n in range(EXPLAINED_LIMIT + 1)]
    assert len(_answer(_serving(), *instances, flags=True)["predictions"]) == EXPLAINED_LIMIT + 1
    with pytest.raises(TooLarge, match=f"at most {EXPLAINED_LIMIT}"):
        _answer(_serving(), *instances, explain=True)
