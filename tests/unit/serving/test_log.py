"""Proves that the prediction log takes every good message, whatever came beside it."""

import json
from typing import Any

import pytest

from smallbox.aws.batch import consume
from smallbox.define.project import project_of
from smallbox.lake.predictions import PredictionLog
from smallbox.ports import Between
from smallbox.serving.log import LogTask
from smallbox.times import DAY
from tests.fakes.lake import FakeLake
from tests.fakes.small import late_parcel

PROJECT, MODEL = project_of([late_parcel]), late_parcel.name


def _columns(*ids: str, **more: Any) -> dict[str, Any]:
    rows = len(ids)
    numbers = {"time": [5] * rows, "event_time": [5] * rows, "score": [0.5] * rows}
    return {"id": [*ids], "key": [*ids], **numbers, "weight": [None] * rows, "depot": [""] * rows, **more}


GOOD = {"columns": _columns("a", "b")}
BAD = {
    "of the form before": {"rows": [{"id": "x", "inputs": {}, "sent": {}, "entities": {}}]},
    "out of step": {"columns": _columns("x", score=[0.5, 0.6])},
    "of another type": {"columns": _columns("x", weight=["heavy"])},
    "without ids": {"columns": {"key": ["x"]}},
}


def _logged(*messages: dict[str, Any]) -> tuple[list[str], list[str]]:
    """The ids in the log, and the messages that failed, by their place."""
    lake = FakeLake()
    bodies = [json.dumps({"model": MODEL, **message}) for message in messages]
    event = {"Records": [{"messageId": str(at), "body": body} for at, body in enumerate(bodies)]}
    answer = consume(event, lambda message: str(message["model"]), LogTask(PROJECT, lake).append)
    rows = PredictionLog(PROJECT, lake).read(MODEL, Between("time", 0, DAY))
    return sorted(rows["id"].to_pylist()), [failed["itemIdentifier"] for failed in answer["batchItemFailures"]]


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_a_bad_message_fails_alone(bad: dict[str, Any]) -> None:
    """The good messages before and after it are logged; it goes back to its queue, and so to the dead letters."""
    assert _logged(GOOD, bad, {"columns": _columns("c")}) == (["a", "b", "c"], ["1"])


def test_a_message_of_another_definition_keeps_what_todays_has() -> None:
    """A column that the definition has lost is left out, and one that it has gained since is null."""
    message = {"columns": {name: values for name, values in _columns("a", gone=[1]).items() if name != "depot"}}
    assert _logged(message) == (["a"], [])


def test_the_same_message_twice_is_read_once() -> None:
    """Queues deliver at least once: each id is in the log as often as it came, and is read once."""
    assert _logged(GOOD, GOOD) == (["a", "b"], [])
