"""Proves that the handlers of a model's life work on real events: train, release, predict, log, join, check, decide."""

import io
import json
import math
from typing import Any

import boto3
import pytest

from smallbox.aws.delta_lake import DeltaLake
from smallbox.aws.documents import DynamoDocuments
from smallbox.cli.demo.flights import Records, known, load_flights
from smallbox.define.project import load as load_project
from smallbox.features.live_views import LiveViewStore, id_of
from smallbox.ingestion.contract import check_all
from smallbox.ingestion.readers import read_batches
from smallbox.lake.names import records_table
from smallbox.lake.schemas import records_to_table
from smallbox.ports import Between
from smallbox.times import parse_day
from tests.handlers.conftest import REGION, event, handler

MODEL = "late_arrival"
AS_OF = "2013-01-29T00:00:00Z"
MACHINE = f"arn:aws:states:{REGION}:123456789012:stateMachine:training"


@pytest.fixture(scope="module")
def flights() -> Records:
    """All flights of the year."""
    return load_flights()


@pytest.fixture
def history(aws: dict[str, str], flights: Records) -> DeltaLake:
    """Four weeks of records in the lake."""
    lake, end = DeltaLake.in_bucket("lake"), parse_day("2013-01-29")
    for source in load_project().sources.values():
        lines = known(source, getattr(flights, source.name)).between(0, end)
        content = io.BytesIO("\n".join(lines).encode())
        for first, rows in read_batches("history.jsonl", content, source):
            lake.append(records_table(source), records_to_table(source, check_all(source, rows, end, first)[0]))
    return lake


def _sqs(body: Any) -> dict[str, Any]:
    template = event("sqs")["Records"][0]
    return {"Records": [{**template, "body": json.dumps(body)}]}


def _waiting(url: str) -> list[dict[str, Any]]:
    messages = boto3.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    return [json.loads(message["Body"]) for message in messages]


def _make_readable() -> None:
    """What a backfill of an empty lake does with the views that have joined."""
    live = LiveViewStore(DynamoDocuments("registry"))
    live.publish((id_of(one.view), one.since) for one in live.read().filling())


def _trained() -> dict[str, Any]:
    document: dict[str, Any] = {"model": MODEL, "as_of": AS_OF}
    for stage, job in (("training", "dataset"), ("training", "fit"), ("registry", "register"), ("release", "start")):
        document = json.loads(json.dumps(handler(stage, job)(document)))
    return document


def test_a_model_lives_through_its_handlers(aws: dict[str, str], history: DeltaLake) -> None:
    """From training to a decision about retraining, each handler takes the event that its trigger sends."""
    trained = _trained()
    assert trained["accepted"], trained["verdict"]["why"]
    assert trained["routing"] is None
    assert "smallbox backfill" in trained["release"]["why"], "no view is filled yet"

    request = {**event("api_predict"), "queryStringParameters": {"as_of": AS_OF}}
    assert handler("serving", "predict")(request)["statusCode"] == 503
    _make_readable()
    assert handler("release", "start")(trained)["routing"]["champion"] == 1
    prediction = _predicted(request)
    assert prediction["id"] == "20130301-UA-1-EWR"
    assert 0 < prediction["score"] < 1
    assert (prediction["arm"], prediction["version"]) == ("champion", 1)
    assert "carrier_late_rate_7d" in prediction["missing"], "nothing was rebuilt into the store"

    logged, _ = _waiting(aws["predictions"])
    assert handler("serving", "log")(_sqs(logged)) == {"batchItemFailures": []}
    end = parse_day("2013-01-29")
    log = history.read(f"predictions/{MODEL}", ["key", "score"], Between("time", end, end + 1))
    assert log is not None
    assert log["score"].to_pylist() == [prediction["score"]]

    day: dict[str, Any] = {"model": MODEL, "as_of": "2013-01-30T00:00:00Z"}
    for stage, job in (("feedback", "join"), ("monitoring", "check"), ("release", "review")):
        day = json.loads(json.dumps(handler(stage, job)(day)))
    expected = {"labelled": 0, "pending": 1, "unlabelled": 0, "asked_late": 0, "coverage": None}
    assert day["feedback"] == expected | {"coverage_day": "2013-01-28", "restated": 0, "unmatched": 0, "breaker": ""}, (
        "the flight leaves in March"
    )
    assert day["release"]["action"] == "none"

    _training_machine()
    decided = handler("retraining", "decide")(day)
    assert not decided["retraining"]["train"]
    assert "sooner than 7d" in decided["retraining"]["why"]
    rung = handler("retraining", "decide")(event("sns_alarm"))
    assert [decision["model"] for decision in rung["decisions"]] == [MODEL]
    _browse()


def _predicted(request: dict[str, Any]) -> dict[str, Any]:
    """The prediction; asked to explain it, base and contributions add up to the log-odds of the same score."""
    answer = handler("serving", "predict")(request)
    assert answer["statusCode"] == 200, answer["body"]
    (prediction,) = json.loads(answer["body"])["predictions"]
    asked = {**request, "body": json.dumps({**json.loads(request["body"]), "explain": True})}
    answered = json.loads(handler("serving", "predict")(asked)["body"])
    (explained,) = answered["predictions"]
    found = explained["explanation"]
    assert found["exact"]
    total = found["base"]["score"] + sum(one["contribution"]["score"] for one in found["contributions"])
    assert prediction["score"] == pytest.approx(1 / (1 + math.exp(-total)), abs=1e-6)
    assert set(explained["flags"]) == {"out_of_range", "unseen_category", "far_from_training"}
    assert all(taken >= 0 for taken in answered["milliseconds"].values())
    return dict(prediction)


def _browse() -> None:
    browsed = handler("registry", "browse")(_get(f"/models/{MODEL}/metrics/2013-01-29"))
    assert browsed["statusCode"] == 200
    assert json.loads(browsed["body"])["day"] == "2013-01-29"

    models = json.loads(handler("registry", "browse")(_get("/status"))["body"])["models"]
    standing = next(one for one in models if one["name"] == MODEL)
    assert standing["champion"] == {"version": 1, "since": AS_OF}
    assert (standing["last_training"]["outcome"], standing["day"]) == ("accepted", "2013-01-29")
    assert {source["name"] for source in standing["sources"]} >= {"departures", "arrivals", "weather", "planes"}


def _training_machine() -> None:
    definition = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})
    role = "arn:aws:iam::123456789012:role/training"
    boto3.client("stepfunctions").create_state_machine(name="training", definition=definition, roleArn=role)


def _get(path: str) -> dict[str, Any]:
    request = {**event("api_predict"), "rawPath": path, "body": None}
    request["requestContext"]["http"] |= {"method": "GET", "path": path}
    return request
