"""Proves what a prediction falls back on, what it refuses, and what it logs."""

from dataclasses import replace
from typing import Any

import pytest

from smallbox.define import number, text
from smallbox.define.log_columns import logged_types
from smallbox.define.model import Model
from smallbox.errors import ContractViolation, InvalidInput, MalformedBody, NotReady, TooLarge
from smallbox.lake.predictions import logged_table
from smallbox.records import Record
from smallbox.serving.predict import PredictTask
from smallbox.serving.scored_file import out_folder
from smallbox.times import HOUR, Moment
from tests.fakes.edges import FakeQueue
from tests.fakes.serving import Serving
from tests.fakes.small import deliveries, depot, late_parcel, parcels

INSTANCE = {"parcel_id": "p", "depot": "north", "weight": 2.5}


def _predictor(model: Model = late_parcel) -> tuple[PredictTask, FakeQueue]:
    serving = Serving(model)
    return serving.predictor, serving.log


def _ask(predictor: PredictTask, document: Any, moment: Moment | None = None) -> Any:
    return predictor.predict(late_parcel.name, document, moment or Moment(HOUR), HOUR, "request")


def test_without_a_champion_there_is_no_guess() -> None:
    """A model that nobody trained answers with NotReady, and logs nothing."""
    predictor, log = _predictor()
    with pytest.raises(NotReady, match="train it first"):
        _ask(predictor, {"instances": [INSTANCE]})
    assert log.messages == []


def test_a_declared_fallback_answers_marked() -> None:
    """With a fallback declared the answer is that score, marked as such, and logged as such."""
    predictor, log = _predictor(replace(late_parcel, fallback=0.3))
    (prediction,) = _ask(predictor, {"instances": [INSTANCE]})["predictions"]
    assert (prediction["score"], prediction["arm"], prediction["version"]) == (0.3, "fallback", 0)
    assert prediction["missing"] == ["depot_delay_3h"]
    assert log.messages[0]["columns"]["arm"] == ["fallback"]


@pytest.mark.parametrize("sent", [None, "1970-01-01T05:00:00Z"], ids=["not sent", "sent"])
def test_a_row_of_the_log_knows_its_event_time(sent: str | None) -> None:
    """It is the time field where the caller sends it, else the moment of asking; and the log's table has it."""
    model = replace(late_parcel, fallback=0.3)
    predictor, log = _predictor(model)
    _ask(predictor, {"instances": [INSTANCE if sent is None else {**INSTANCE, "sent_at": sent}]})
    table = logged_table(logged_types(model), log.messages[0]["columns"])
    assert table["time"].to_pylist() == [HOUR]
    assert table["event_time"].to_pylist() == [HOUR if sent is None else 5 * HOUR]


def test_an_explanation_leaves_personal_values_out() -> None:
    """Asked to explain, a prediction shows its inputs, but neither a personal one nor the features of such a field."""
    plain, personal = replace(late_parcel, fallback=0.3), text(pii=True)
    request = replace(parcels, fields={**parcels.fields, "weight": number(nullable=True, pii=True)})
    source = replace(deliveries, fields={**deliveries.fields, "delay": number(pii=True), "note": personal})
    hidden = replace(plain, request=request, views=(replace(depot, source=source),))
    question = {"instances": [INSTANCE], "explain": True}
    for model, shown in ((plain, {"weight", "depot_delay_3h", "depot"}), (hidden, {"depot"})):
        predictor, log = _predictor(model)
        (prediction,) = _ask(predictor, question)["predictions"]
        assert set(prediction["inputs"]) == shown
        assert {"weight", "depot_delay_3h", "depot"} <= set(log.messages[0]["columns"])
    refused = {"instances": [{**INSTANCE, "weight": "4711"}]}
    with pytest.raises(ContractViolation, match="weight is hidden") as found:
        _ask(predictor, refused)
    assert "4711" not in found.value.message + str(found.value.details)


@pytest.mark.parametrize(
    ("document", "error"),
    [
        ([], MalformedBody),
        ({"instances": {}}, MalformedBody),
        ({"instances": []}, MalformedBody),
        ({"instances": [INSTANCE] * 501}, TooLarge),
        ({"instances": [{}]}, ContractViolation),
        ({"instances": [{**INSTANCE, "wieght": 1}]}, ContractViolation),
        ({"instances": [{**INSTANCE, "weight": "heavy"}]}, ContractViolation),
    ],
)
def test_a_wrong_body_is_refused(document: Any, error: type[InvalidInput]) -> None:
    """Each wrong body has its own error; one of an instance names its place, field and rule."""
    predictor, _ = _predictor()
    with pytest.raises(error) as refused:
        _ask(predictor, document)
    if error is ContractViolation:
        assert set(refused.value.details) == {"index", "field", "rule"}


def test_a_replay_cannot_look_back() -> None:
    """A replay that asks as of a moment before what the store holds is refused; the present is never."""
    serving = Serving(late_parcel)
    serving.route(serving.register(late_parcel))
    values: dict[str, Any] = {"parcel_id": "p", "delivered_at": 5 * HOUR, "depot": "north", "delay": 1.0, "late": True}
    record = Record("deliveries", "p", 5 * HOUR, 5 * HOUR, 5 * HOUR, values)
    serving.stream([record], 6 * HOUR)
    predictor = serving.predictor
    with pytest.raises(InvalidInput, match="already holds"):
        _ask(predictor, {"instances": [INSTANCE]}, Moment(4 * HOUR, is_replayed=True))
    _ask(predictor, {"instances": [INSTANCE]}, Moment(4 * HOUR))
    _ask(predictor, {"instances": [INSTANCE]}, Moment(6 * HOUR, is_replayed=True))


def test_an_output_is_never_an_input() -> None:
    """Wherever under ``in/`` a file lies, its output lies under ``out/``, which is not scored."""
    assert out_folder("score/m/in/in/a.csv") == "score/m/out/in/a.csv"
