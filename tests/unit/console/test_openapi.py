"""Proves that the description of the API is valid, and says of fields and answers what the code does."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from smallbox.console.json_schema import json_schema_of_field, json_schema_of_instance, json_schema_of_record, schema_of
from smallbox.console.openapi import openapi
from smallbox.define.fields import Field, boolean, integer, number, text, timestamp
from smallbox.define.project import load, project_of
from smallbox.define.source import Source
from smallbox.ingestion.contract import check_values
from smallbox.objectives.binary import Binary
from smallbox.objectives.multiclass import Multiclass
from smallbox.objectives.objective import Objective
from smallbox.objectives.ranking import Ranking
from smallbox.objectives.regression import Regression
from smallbox.records import Rejection
from smallbox.serving.inference import InferenceProtocol, ProtocolRequest
from smallbox.serving.predict import _readable
from smallbox.times import HOUR, Moment
from tests.fakes.described import closed, faults
from tests.fakes.serving import Serving
from tests.fakes.small import late_parcel, parcels


@pytest.mark.parametrize("project", [load(), project_of([late_parcel])], ids=["shipped", "small"])
def test_the_description_is_valid(project: Any) -> None:
    """Valid OpenAPI 3.1: every reference leads somewhere, every parameter of a path is described, ids are unique."""
    assert list(OpenAPIV31SpecValidator(openapi(project)).iter_errors()) == []


FIELDS = [
    text(), text(nullable=True), text(choices=("a", "b")), text(choices=("a", "b"), nullable=True),
    text(pattern=r"[A-Z]{2}\d{1,2}"), text(pattern="a|b"), number(), number(minimum=-1, maximum=2.5, nullable=True),
    integer(), integer(minimum=0, maximum=3), boolean(), boolean(nullable=True),
]  # fmt: skip
VALUES: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers(-3, 4) | st.floats(-3, 4) | st.sampled_from(["a", "b", "ab", "AB1", "AB1x"])
    | st.text(max_size=3, alphabet="abAB1 ") | st.integers(255, 258).map("x".__mul__) | st.just([]) | st.just({})
)  # fmt: skip


@given(st.sampled_from(FIELDS), VALUES)
def test_a_field_takes_what_its_schema_allows(field: Field, value: Any) -> None:
    """Every value that the contract takes is valid, and every other is not."""
    source = Source("s", "id", "at", {"id": text(), "at": timestamp(), "x": field})
    found = check_values(source, {"x": value}, 0, required=() if field.nullable else ("x",))
    is_valid = Draft202012Validator(json_schema_of_field(field)).is_valid(value)
    assert is_valid is not isinstance(found, Rejection), found


def test_a_pattern_that_other_languages_lack_is_said_in_words() -> None:
    """A possessive repeat is Python's alone."""
    schema = json_schema_of_field(text(pattern="(?:ab)*+c"))
    assert "pattern" not in schema
    assert "(?:ab)*+c" in schema["description"]


def test_what_must_be_sent_is_required() -> None:
    """Of a record every field that may not be null, of an instance those that the model needs; and no other name."""
    record, instance = json_schema_of_record(parcels), json_schema_of_instance(late_parcel)
    assert set(record["required"]) == {"parcel_id", "sent_at"}
    assert instance["required"] == ["parcel_id"]
    sent = {"parcel_id": "p", "sent_at": "2013-03-01T00:00:00Z"}
    assert Draft202012Validator(record).is_valid(sent)
    for wrong in ({**sent, "wieght": 1}, {**sent, "parcel_id": ""}, {"parcel_id": "p"}):
        assert not Draft202012Validator(record).is_valid(wrong)


def test_a_type_without_a_schema_is_refused() -> None:
    """What cannot be described is a mistake of the library, not an empty schema."""
    with pytest.raises(TypeError, match="set"):
        schema_of(set[str])


OBJECTIVES: list[tuple[Objective, list[float]]] = [
    (Binary(), [0.5]),
    (Multiclass(classes=("a", "b")), [0.2, 0.8]),
    (Regression(), [-1.5]),
    (Regression("absolute", quantiles=(0.1, 0.9)), [1.0, 0.5, 2.0]),
    (Ranking(by="search"), [0.3]),
]
NOTHING = float("nan")


@pytest.mark.parametrize(("objective", "outputs"), OBJECTIVES, ids=lambda one: getattr(one, "kind", ""))
def test_an_answer_of_an_objective_is_as_described(objective: Objective, outputs: list[float]) -> None:
    """It has every property of the description, and no other; also where the model gave no number."""
    properties = objective.answer_schema()
    schema = closed({"type": "object", "properties": properties, "required": [*properties]})
    for found in (outputs, [NOTHING] * len(outputs)):
        assert list(Draft202012Validator(schema).iter_errors(_readable(objective.answer(found)))) == []


@pytest.mark.parametrize("has_champion", [True, False], ids=["champion", "fallback"])
def test_answers_of_a_model_are_as_described(*, has_champion: bool) -> None:
    """Predictions with and without their inputs, and every answer of the inference protocol."""
    model = replace(late_parcel, fallback=0.3)
    serving, document = Serving(model), closed(openapi(project_of([model])))
    if has_champion:
        serving.route(serving.register(model))
    schemas = {name: {"$ref": f"#/components/schemas/{name}"} for name in document["components"]["schemas"]}
    instance = {"parcel_id": "p", "depot": "north", "weight": -2.5 if not has_champion else 0.5}
    assert faults(document, schemas["instance.late_parcel"], instance) == []
    for explain in (False, True):
        (answer,) = serving.predict([instance], Moment(HOUR), explain=explain)
        assert faults(document, schemas["prediction.late_parcel"], answer) == []
        assert ("inputs" in answer) is explain
    protocol = InferenceProtocol(serving.project, serving.loader, serving.predictor)
    metadata = protocol.metadata(ProtocolRequest({"model": model.name})).document
    assert faults(document, schemas["metadata"], metadata) == []
