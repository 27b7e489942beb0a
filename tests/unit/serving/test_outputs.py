"""Proves that a model of several outputs answers, falls back, logs and scores files with all of them, each named."""

import io
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from smallbox.define import Regression
from smallbox.define.log_columns import logged_types
from smallbox.define.model import Model
from smallbox.errors import NotReady
from smallbox.lake.predictions import PredictionLog, logged_table
from smallbox.ports import Between
from smallbox.registry.routing import Routing
from smallbox.registry.scorer import OUTPUTS
from smallbox.serving.inference import InferenceProtocol, ProtocolRequest
from smallbox.serving.score import ScoreTask
from smallbox.serving.sticky_assignment import arm_of
from smallbox.times import DAY, Moment, format_moment
from tests.fakes.edges import FakeWorkflow
from tests.fakes.kinds import CLASSES, numbers, of_a_number, of_a_ranking, of_classes, of_quantiles, outcomes
from tests.fakes.serving import Serving, sum_of_numbers
from tests.fakes.small import late_parcel

NOW: Final = 100 * DAY
ASKED: Final[Mapping[str, Any]] = {"parcel_id": "p", "depot": "north", "weight": 2.5, "search": "s7"}
only_quantiles = replace(
    of_quantiles, label=replace(of_quantiles.label, objective=Regression("quantile", (0.05, 0.5))), estimator=numbers
)
MODELS: Final[Mapping[str, tuple[Model, Mapping[str, Any], Mapping[str, float]]]] = {
    "boolean": (late_parcel, {"score": 2.5}, {"score": 2.5}),
    "classes": (
        of_classes,
        {"score": dict(zip(CLASSES, (2.5, 3.5, 4.5), strict=True)), "class": "lost"},
        {"score_on_time": 2.5, "score_late": 3.5, "score_lost": 4.5},
    ),
    "number": (of_a_number, {"score": 2.5}, {"score": 2.5}),
    "quantiles": (
        of_quantiles,
        {"score": 2.5, "quantiles": {"0.1": 3.5, "0.9": 4.5}},
        {"score": 2.5, "score_q10": 3.5, "score_q90": 4.5},
    ),
    "quantiles alone": (
        only_quantiles,
        {"quantiles": {"0.05": 2.5, "0.5": 3.5}},
        {"score_q5": 2.5, "score_q50": 3.5},
    ),
    "ranking": (of_a_ranking, {"score": 2.5}, {"score": 2.5}),
}
"""By kind: a model, what it answers a request of weight 2.5, and the outputs by column."""

FALLBACKS: Final[Mapping[str, Any]] = {
    "boolean": 0.3,
    "classes": {"late": 0.25, "on time": 0.7, "lost": 0.05},
    "number": -4,
    "quantiles": {"score": 1.0, "score_q10": -1.0, "score_q90": 5.0},
    "quantiles alone": {"score_q5": -1.0, "score_q50": 5.0},
    "ranking": 1.5,
}
FALLEN: Final[Mapping[str, Mapping[str, Any]]] = {
    "boolean": {"score": 0.3},
    "classes": {"score": {"on time": 0.7, "late": 0.25, "lost": 0.05}, "class": "on time"},
    "number": {"score": -4.0},
    "quantiles": {"score": 1.0, "quantiles": {"0.1": -1.0, "0.9": 5.0}},
    "quantiles alone": {"quantiles": {"0.05": -1.0, "0.5": 5.0}},
    "ranking": {"score": 1.5},
}
"""By kind: what is declared, and what is answered."""


def deployed(model: Model) -> Serving:
    """A model without a version."""
    return Serving(model, outcomes)


def champion_of(model: Model) -> Serving:
    """A model with a champion of its own definition."""
    serving = deployed(model)
    serving.route(serving.register(model))
    return serving


def asked(model: Model, **changes: Any) -> dict[str, Any]:
    """An instance with the fields that a model needs."""
    return {name: {**ASKED, **changes}[name] for name in model.request_fields}


def predicted(serving: Serving, *, explain: bool = False) -> dict[str, Any]:
    """The answer to one request."""
    (answer,) = serving.predict([asked(serving.model)], Moment(NOW), explain=explain)
    found: dict[str, Any] = answer
    return found


def tensors(serving: Serving, *keys: str) -> dict[str, list[Any]]:
    """The output tensors for requests of these keys."""
    protocol = InferenceProtocol(serving.project, serving.loader, serving.predictor)
    kinds = {"text": "BYTES", "number": "FP64"}
    instance, fields = asked(serving.model), serving.model.request.fields
    inputs = [
        {
            "name": name,
            "shape": [len(keys)],
            "datatype": kinds[fields[name].type],
            "data": [*keys] if name == "parcel_id" else [value] * len(keys),
        }
        for name, value in instance.items()
    ]
    body = json.dumps({"inputs": inputs}).encode()
    document = protocol.infer(ProtocolRequest({"model": serving.model.name}, body, now=NOW, batch="r")).document
    assert {(one["datatype"], tuple(one["shape"])) for one in document["outputs"]} == {("FP64", (len(keys),))}
    return {one["name"]: one["data"] for one in document["outputs"]}


@pytest.mark.parametrize("kind", MODELS)
def test_an_answer_has_what_its_label_calls_for(kind: str) -> None:
    """A probability by class and the most probable class, a number with its quantiles by level, or one score."""
    model, said, _ = MODELS[kind]
    others = {"id": "p", "version": 1, "arm": "champion", "missing": ["depot_delay_3h"], "prediction_id": "r-0"}
    assert predicted(champion_of(model)) == {**said, **others}


@pytest.mark.parametrize("kind", MODELS)
def test_an_explanation_shows_inputs_and_no_output(kind: str) -> None:
    """Beside the answer as ever there are the model's columns: neither outputs nor the group of a ranking."""
    model, said, _ = MODELS[kind]
    answer = predicted(champion_of(model), explain=True)
    assert answer["inputs"] == {"weight": 2.5, "depot_delay_3h": None, "depot": "north"}
    assert said.items() <= answer.items()


@pytest.mark.parametrize("kind", MODELS)
def test_each_output_is_a_tensor_and_is_in_the_metadata(kind: str) -> None:
    """The inference protocol names them as the log does, before the first champion too."""
    model, _, outputs = MODELS[kind]
    serving = champion_of(model)
    assert tensors(serving, "p", "q") == {name: [value, value] for name, value in outputs.items()}
    for one in (serving, deployed(model)):
        protocol = InferenceProtocol(one.project, one.loader, one.predictor)
        metadata = protocol.metadata(ProtocolRequest({"model": model.name})).document
        assert metadata["outputs"] == [{"name": name, "datatype": "FP64", "shape": [-1]} for name in outputs]


@pytest.mark.parametrize("kind", MODELS)
def test_the_log_has_a_column_for_each_output(kind: str) -> None:
    """Numbers under the names of the outputs, and of a ranking the group; no other kind has that column."""
    model, _, outputs = MODELS[kind]
    serving = champion_of(model)
    predicted(serving)
    (message,) = serving.log.messages
    rows: pa.Table = logged_table(logged_types(model), message["columns"])
    assert {name: rows[name].to_pylist() for name in outputs} == {name: [value] for name, value in outputs.items()}
    assert [name for name in rows.column_names if name.startswith("score")] == list(outputs)
    assert ("group" in rows.column_names) == (kind == "ranking")
    if kind == "ranking":
        assert rows["group"].to_pylist() == ["s7"]


@pytest.mark.parametrize("kind", MODELS)
def test_a_declared_fallback_answers_like_a_version(kind: str) -> None:
    """Over both protocols with every output, however it was declared; marked, and logged as such."""
    model, said = replace(MODELS[kind][0], fallback=FALLBACKS[kind]), FALLEN[kind]
    serving = deployed(model)
    answer = predicted(serving)
    assert said.items() <= answer.items()
    assert (answer["arm"], answer["version"]) == ("fallback", 0)
    values = dict(zip(model.objective.outputs, model.fallback_outputs or (), strict=True))
    assert tensors(serving, "p", "q") == {name: [value, value] for name, value in values.items()}
    for message in serving.log.messages:
        assert {name: message["columns"][name][0] for name in values} == values
        assert set(message["columns"]["arm"]) == {"fallback"}


KEYS: Final = [f"p{n}" for n in range(12)]
ARMS: Final = [arm_of(Routing(1, 2, 0.5), key) for key in KEYS]


def canary(old: Model, new: Model) -> Serving:
    """A canary between two labels: the second definition is deployed."""
    serving = deployed(new)
    serving.join(old)
    serving.fill()
    serving.canary(old, new)
    return serving


CANARIES: Final = [("boolean", "classes"), ("quantiles", "boolean"), ("classes", "quantiles")]


@pytest.mark.parametrize(("old", "new"), CANARIES)
def test_in_a_canary_of_two_labels_each_row_has_the_outputs_of_its_version(old: str, new: str) -> None:
    """The tensors are those of both, as the metadata says; one that a row's version does not give is null there."""
    serving = canary(MODELS[old][0], MODELS[new][0])
    found, of_arms = tensors(serving, *KEYS), {"champion": MODELS[old][2], "challenger": MODELS[new][2]}
    assert found == {name: [of_arms[arm].get(name) for arm in ARMS] for name in {**MODELS[old][2], **MODELS[new][2]}}
    assert any(None in values for values in found.values())
    protocol = InferenceProtocol(serving.project, serving.loader, serving.predictor)
    metadata = protocol.metadata(ProtocolRequest({"model": serving.model.name})).document
    assert {one["name"] for one in metadata["outputs"]} == found.keys()
    answers = serving.predict([asked(serving.model, parcel_id=key) for key in KEYS], Moment(NOW))
    said = {"champion": MODELS[old][1], "challenger": MODELS[new][1]}
    for arm, answer in zip(ARMS, answers, strict=True):
        assert {name: answer.get(name) for name in ("score", "class", "quantiles") if name in answer} == said[arm]


def scored(serving: Serving, *keys: str) -> pa.Table:
    """The predictions of a file, and its rows in the log."""
    rows = [{**asked(serving.model, parcel_id=key), "sent_at": format_moment(NOW)} for key in keys]
    key, serving.inbox.now = f"score/{serving.model.name}/in/a.jsonl", NOW
    serving.inbox.put(key, "\n".join(map(json.dumps, rows)).encode())
    ScoreTask(serving.project, serving.lake, serving.loader, serving.inbox, FakeWorkflow()).take(key)
    out = f"score/{serving.model.name}/out/a.jsonl"
    report = json.loads(serving.inbox.get(f"{out}/report.json"))
    assert (report["scored"], report["rejected"]) == (len(keys), 0)
    return pq.read_table(io.BytesIO(serving.inbox.get(f"{out}/predictions.parquet")))


@pytest.mark.parametrize("kind", MODELS)
def test_a_scored_file_has_a_column_for_each_output(kind: str) -> None:
    """Between the key with its time and who answered; of a ranking with the group, so that the file can be sorted."""
    model, _, outputs = MODELS[kind]
    serving = champion_of(model)
    answers = scored(serving, "p", "q")
    group = ["group"] if kind == "ranking" else []
    assert answers.column_names == ["key", "time", *outputs, *group, "version", "arm"]
    assert {name: answers[name].to_pylist() for name in outputs} == {n: [v, v] for n, v in outputs.items()}
    log = PredictionLog(serving.lake).read(model.name, Between("time", NOW, NOW + 1))
    assert {name: log[name].to_pylist() for name in outputs} == {n: [v, v] for n, v in outputs.items()}


@pytest.mark.parametrize(("old", "new"), CANARIES)
def test_a_file_that_versions_of_two_labels_answer_has_the_columns_of_both(old: str, new: str) -> None:
    """Each row has a null where its version has no such output; file and log agree."""
    serving = canary(MODELS[old][0], MODELS[new][0])
    answers, of_arms = scored(serving, *KEYS), {"champion": MODELS[old][2], "challenger": MODELS[new][2]}
    log = PredictionLog(serving.lake).read(serving.model.name, Between("time", NOW, NOW + 1)).sort_by("key")
    assert answers["arm"].to_pylist() == ARMS
    for name in {**MODELS[old][2], **MODELS[new][2]}:
        assert answers[name].to_pylist() == [of_arms[arm].get(name) for arm in ARMS]
        assert log[name].to_pylist() == answers.sort_by("key")[name].to_pylist()


def test_a_version_that_an_earlier_release_exported_is_not_ready() -> None:
    """Its graph names its output otherwise: the error says what to do, and a fallback answers where there is one."""
    content = sum_of_numbers(late_parcel.columns).replace(OUTPUTS.encode(), b"results")
    plain, careful = Serving(late_parcel), Serving(replace(late_parcel, fallback=0.3))
    for serving in (plain, careful):
        serving.route(serving.register(serving.model, content))
    with pytest.raises(NotReady, match="exported by an earlier release; train again"):
        predicted(plain)
    assert (predicted(careful)["score"], predicted(careful)["arm"]) == (0.3, "fallback")
