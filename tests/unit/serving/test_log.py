"""Proves that the prediction log takes every good message, whatever came beside it."""

import json
from typing import Any

import pytest

from smallbox.aws.batch import consume
from smallbox.define.project import project_of
from smallbox.lake.catalogue import catalogue
from smallbox.lake.predictions import PredictionLog
from smallbox.ports import Between
from smallbox.serving.log import LogTask
from smallbox.times import DAY, Moment
from tests.fakes.lake import FakeLake
from tests.fakes.serving import Serving
from tests.fakes.small import late_parcel

PROJECT, MODEL = project_of([late_parcel]), late_parcel.name


def _columns(*ids: str, **more: Any) -> dict[str, Any]:
    rows = len(ids)
    numbers = {"time": [5] * rows, "event_time": [5] * rows, "score": [0.5] * rows}
    return {"id": [*ids], "key": [*ids], **numbers, "weight": [None] * rows, "depot": [""] * rows, **more}


TYPES = {"depot": "text"}
GOOD = {"types": TYPES, "columns": _columns("a", "b")}
BAD = {
    "of the form before": {"rows": [{"id": "x", "inputs": {}, "sent": {}, "entities": {}}]},
    "without types": {"columns": _columns("x")},
    "out of step": {"types": TYPES, "columns": _columns("x", score=[0.5, 0.6])},
    "of another type": {"types": TYPES, "columns": _columns("x", weight=["heavy"])},
    "without ids": {"types": TYPES, "columns": {"key": ["x"]}},
}


def _logged(*messages: dict[str, Any]) -> tuple[list[str], list[str]]:
    """The ids in the log, and the messages that failed, by their place."""
    lake, failed = _appended(*messages)
    rows = PredictionLog(lake).read(MODEL, Between("time", 0, DAY))
    return sorted(rows["id"].to_pylist()), failed


def _appended(*messages: dict[str, Any]) -> tuple[FakeLake, list[str]]:
    lake = FakeLake()
    bodies = [json.dumps({"model": MODEL, **message}) for message in messages]
    event = {"Records": [{"messageId": str(at), "body": body} for at, body in enumerate(bodies)]}
    answer = consume(event, lambda message: str(message["model"]), LogTask(PROJECT, lake).append)
    return lake, [failed["itemIdentifier"] for failed in answer["batchItemFailures"]]


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_a_bad_message_fails_alone(bad: dict[str, Any]) -> None:
    """The good messages before and after it are logged; it goes back to its queue, and so to the dead letters."""
    assert _logged(GOOD, bad, {"types": TYPES, "columns": _columns("c")}) == (["a", "b", "c"], ["1"])


def test_a_message_of_another_definition_keeps_its_columns() -> None:
    """Of each type, in the order of the message; what it does not have is null beside rows that have it."""
    own: dict[str, list[Any]] = {"gone": [1.5], "sent_at": [7], "is_gone": [True], "entity_gone": ["g"]}
    columns = {name: values for name, values in _columns("c", **own).items() if name != "depot"}
    types = {"sent_at": "timestamp", "is_gone": "boolean", "entity_gone": "text"}
    lake, failed = _appended(GOOD, {"types": types, "columns": columns})
    assert failed == []
    rows = PredictionLog(lake).read(MODEL, Between("time", 0, DAY)).sort_by("id")
    assert rows.column_names[-6:] == ["weight", "depot", *own]
    assert [row["depot"] for row in rows.to_pylist()] == ["", "", None]
    assert {name: rows[name].to_pylist() for name in own} == {name: [None, None, *one] for name, one in own.items()}


def test_the_log_of_the_deployed_definition_has_the_columns_of_the_catalogue() -> None:
    """What a version of it answered is logged in exactly the catalogue's columns, in their order."""
    serving = Serving(late_parcel)
    serving.route(serving.register(late_parcel))
    serving.predict([{"parcel_id": "a", "depot": "d", "weight": 1.0}], Moment(5))
    LogTask(PROJECT, serving.lake).append(serving.log.messages)
    rows = serving.lake.read(f"predictions/{MODEL}")
    assert rows is not None
    assert rows.schema.equals(catalogue(PROJECT)[f"predictions/{MODEL}"].schema)


def test_the_same_message_twice_is_read_once() -> None:
    """Queues deliver at least once: each id is in the log as often as it came, and is read once."""
    assert _logged(GOOD, GOOD) == (["a", "b"], [])
