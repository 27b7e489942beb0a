"""Proves that the deployed handlers hold the limits: of size, of rate by consumer, and of who names a past moment."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import boto3
import pytest

from smallbox.aws.replays import AS_OF_STAGE, GRANTED, REFUSED
from smallbox.aws.settings import VARIABLE_PREFIX
from smallbox.define import RateLimit, Serve
from smallbox.define.project import Project
from smallbox.define.project import load as load_project
from smallbox.request_sizes import BODY_LIMIT
from tests.handlers.conftest import Handler, event, handler

MODEL = "late_arrival"
AS_OF = {"queryStringParameters": {"as_of": "2013-01-29T00:00:00Z"}}
ROUTES = [("serving", "predict", "api_predict"), ("ingestion", "collect", "api_collect")]


def _signed_by(payload: dict[str, Any], session: str) -> dict[str, Any]:
    arn = f"arn:aws:sts::123456789012:assumed-role/{session}"
    context = {**payload["requestContext"], "authorizer": {"iam": {"userArn": arn}}}
    return {**payload, "requestContext": context}


def _infer(payload: dict[str, Any]) -> dict[str, Any]:
    path, tensor = f"/v2/models/{MODEL}/infer", {"name": "flight_id", "datatype": "BYTES", "shape": [1], "data": ["a"]}
    http = {**payload["requestContext"]["http"], "path": path}
    return {
        **payload,
        "routeKey": "POST /v2/models/{model}/infer",
        "rawPath": path,
        "requestContext": {**payload["requestContext"], "http": http},
        "body": json.dumps({"inputs": [tensor]}),
    }


@pytest.fixture
def limited(aws: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Handler:
    """The predicting handler of a model that lets one instance a minute in for each consumer."""
    project = load_project()
    serve = Serve(rate_limit=RateLimit(rate=1 / 60, burst=1))
    models = {name: replace(model, serve=serve) for name, model in project.models.items()}
    load: Callable[[], Project] = lambda: replace(project, models=models)  # noqa: E731 - as `load` is called
    monkeypatch.setattr("smallbox.define.project.load", load)
    return handler("serving", "predict")


def test_a_consumer_beyond_its_rate_is_told_to_wait(limited: Handler) -> None:
    """Whatever its session is called, by whichever route; another role is not. No version serves yet: that is 503."""
    request = event("api_predict")
    assert limited(_signed_by(request, "shop/one"))["statusCode"] == 503
    refused = limited(_signed_by(request, "shop/two"))
    assert refused["statusCode"] == 429
    assert json.loads(refused["body"])["error"]["code"] == "rate_limited"
    assert 55 <= int(refused["headers"]["Retry-After"]) <= 60
    inferred = limited(_signed_by(_infer(request), "shop/three"))
    assert (inferred["statusCode"], json.loads(inferred["body"])["code"]) == (429, "rate_limited")
    assert limited(_signed_by(request, "branch/one"))["statusCode"] == 503


def test_a_cold_start_does_not_forget_the_limit(limited: Handler) -> None:
    """The bucket is in the table, under the consumer, and expires."""
    limited(_signed_by(event("api_predict"), "shop/one"))
    assert handler("serving", "predict")(_signed_by(event("api_predict"), "shop/one"))["statusCode"] == 429
    (item,) = boto3.client("dynamodb").scan(TableName="limits")["Items"]
    assert item["pk"]["S"] == f"{MODEL}#123456789012:role/shop"
    assert "expires_at" in item


def test_a_table_that_is_gone_lets_requests_through(limited: Handler, capsys: pytest.CaptureFixture[str]) -> None:
    """They are counted in the log."""
    boto3.client("dynamodb").delete_table(TableName="limits")
    assert [limited(event("api_predict"))["statusCode"] for _ in range(3)] == [503, 503, 503]
    assert capsys.readouterr().out.count('"UnlimitedAnswers":1') >= 2


@pytest.mark.parametrize(("stage", "job", "name"), ROUTES)
def test_a_body_that_is_too_large_is_named(aws: dict[str, str], stage: str, job: str, name: str) -> None:
    """On every route: the answer has the limit and its unit."""
    answered = handler(stage, job)({**event(name), "body": " " * (BODY_LIMIT + 1)})
    error = json.loads(answered["body"])["error"]
    assert (answered["statusCode"], error["code"]) == (413, "too_large")
    assert error["details"] == {"limit": BODY_LIMIT, "unit": "bytes"}
    assert "send at most 4,000,000" in error["message"]


@pytest.mark.parametrize(("stage", "job", "name"), ROUTES)
def test_a_past_moment_is_refused_unless_the_deployment_allows_it(
    aws: dict[str, str], monkeypatch: pytest.MonkeyPatch, stage: str, job: str, name: str
) -> None:
    """By every route that takes one; the present needs no setting."""
    for setting in (REFUSED, GRANTED):
        monkeypatch.setenv(f"{VARIABLE_PREFIX}AS_OF", setting)
        answered = handler(stage, job)({**event(name), **AS_OF})
        error = json.loads(answered["body"])["error"]
        assert (answered["statusCode"], error["details"]) == (403, {"setting": "as_of", "value": setting})
        assert handler(stage, job)({**event(name), "queryStringParameters": {}})["statusCode"] in {202, 503}
    of_stage = {**event(name)["requestContext"], "stage": AS_OF_STAGE}
    assert handler(stage, job)({**event(name), **AS_OF, "requestContext": of_stage})["statusCode"] in {202, 503}
