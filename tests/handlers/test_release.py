"""Proves that the handlers take what the state machine and the command line send them beside their task of a run."""

from dataclasses import replace

import pytest

from smallbox.aws.documents import DynamoDocuments
from smallbox.define.frozen import freeze, signature_digest
from smallbox.define.project import load
from smallbox.errors import Conflict
from smallbox.registry.store import Registry
from tests.fakes.versions import VERSION
from tests.handlers.conftest import handler

MODEL = "late_arrival"


def _registry() -> Registry:
    return Registry(DynamoDocuments("registry"))


def _fill_views() -> None:
    """A backfill of an empty lake: every view is ready."""
    step = handler("features", "backfill")
    step({"step": "publish", "document": step({"step": "plan", "document": {}})})


def test_a_release_is_changed_by_hand(aws: dict[str, str]) -> None:
    """What ``smallbox release`` sends changes the routing at the present; a run's document goes on as before."""
    model = load().model(MODEL)
    _registry().freeze(MODEL, signature_digest(model), freeze(model))
    version = replace(VERSION, model=MODEL, columns=list(model.columns.names), signature=signature_digest(model))
    for _ in range(2):
        _registry().add(version)
    _fill_views()
    start = handler("release", "start")
    run = {"model": MODEL, "as_of": "2013-01-29T00:00:00Z"}
    assert start({**run, "version": 1})["routing"]["champion"] == 1
    assert start({**run, "version": 2})["routing"]["challenger"] is None
    asked = {"model": MODEL, "action": "start", "version": 2, "who": "ada", "why": "I looked"}
    assert start(asked)["routing"]["challenger"] == 2
    with pytest.raises(Conflict, match="version 2 is in a canary"):
        start(asked)
    undone = start({"model": MODEL, "action": "roll-back", "who": "ada", "why": "I looked again"})
    assert undone["routing"]["challenger"] is None
    (line,) = [event for event in _registry().history(MODEL) if event["event"] == "challenger"]
    assert (line["who"], line["why"]) == ("ada", "I looked")


def test_a_failed_run_is_recorded(aws: dict[str, str]) -> None:
    """The document of the machine's failure state, as Step Functions writes it, becomes a line of history."""
    error = {"Error": "NotReady", "Cause": '{"errorMessage": "no label", "errorType": "NotReady", "stackTrace": []}'}
    document = {"model": MODEL, "as_of": "2013-01-29T00:00:00Z", "reason": "age", "error": error}
    handler("registry", "register")({"step": "failure", "document": document})
    (line,) = _registry().history(MODEL)
    assert (line["event"], line["why"]) == ("training_failed", "no label")
