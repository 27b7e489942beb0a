"""Proves that the handlers of a canary's harm fit together: what one counts of messages, the other judges and ends."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import boto3

from smallbox.aws.documents import DynamoDocuments
from smallbox.define.project import load
from smallbox.registry.routing import Routing, start_canary
from smallbox.registry.store import Registry
from smallbox.release.canary_marks import CHALLENGER_TROUBLE, CanaryMark
from smallbox.times import MINUTE
from tests.fakes.versions import VERSION
from tests.handlers.conftest import event, handler

MODEL = "late_arrival"


def _failed(number: int) -> dict[str, Any]:
    """The message of a request that failed in the challenger's arm."""
    mark = CanaryMark(2, "challenger", number % 32, MINUTE + number, 0.0, failed=True)
    return {"model": MODEL, "canary": mark.as_json()}


def _answered(number: int) -> dict[str, Any]:
    """The message of a request that the champion answered; its columns are beside the point."""
    return {"model": MODEL, "canary": CanaryMark(2, "champion", number % 32, MINUTE + number, 9.0).as_json()}


def _sqs(*bodies: dict[str, Any]) -> dict[str, Any]:
    template = event("sqs")["Records"][0]
    return {"Records": [{**template, "messageId": str(n), "body": json.dumps(b)} for n, b in enumerate(bodies)]}


def test_messages_of_a_failing_challenger_lead_to_its_rollback(aws: dict[str, str]) -> None:
    """The log's function counts and publishes; the guard, rung by the alarm's message, routes all to the champion."""
    assert load().model(MODEL).release.canary is not None
    registry = Registry(DynamoDocuments("registry"))
    for _ in range(2):
        registry.add(replace(VERSION, model=MODEL))
    registry.route(MODEL, start_canary(Routing(1), 2, 0.5, 0))
    log = handler("serving", "log")
    guard: Callable[[Any], Any] = handler("release", "guard")
    assert guard({})[0]["why"].startswith("cannot tell yet")
    messages = [one for n in range(40) for one in (_failed(n), _answered(n))]
    assert log(_sqs(*messages)) == {"batchItemFailures": []}
    (figure,) = boto3.client("cloudwatch").list_metrics(Namespace="Smallbox")["Metrics"]
    assert figure["MetricName"] == CHALLENGER_TROUBLE
    assert figure["Dimensions"] == []
    (done,) = guard(event("sns_alarm"))
    assert (done["version"], done["action"]) == (2, "roll_back")
    assert guard({}) == []
    routing = registry.routing(MODEL)
    assert routing is not None
    assert routing.versions == (1,)
