"""Proves that each handler of data in does its work on the very event that AWS sends, with its own settings alone."""

import json
from array import array
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import boto3
import pytest

from definitions.flights import origin_weather
from smallbox.aws.blobs import S3Blobs
from smallbox.aws.delta_lake import DeltaLake
from smallbox.aws.documents import DynamoDocuments
from smallbox.aws.online import DynamoOnlineStore
from smallbox.define import Source, text, timestamp
from smallbox.define.project import load as load_project
from smallbox.define.project import project_of
from smallbox.errors import InvalidInput
from smallbox.features.live_views import LiveViewStore
from smallbox.features.online.states import state_key, version_of
from smallbox.ingestion.file_parts import FilePart
from smallbox.ingestion.load_plan import LoadPlan, drop_folder
from smallbox.messages.rebuilds import rebuild_loaded
from smallbox.request_sizes import BODY_LIMIT
from smallbox.times import parse_day
from tests.handlers.conftest import event, handler

ROW = "JFK-1,2013-03-01T08:00:00Z,JFK,39.0,60.1,{wind},0.0,10.0"
HEAD = "observation_id,observed_at,origin,temperature,humidity,wind_speed,precipitation,visibility"


def _sqs(*bodies: Any) -> dict[str, Any]:
    template = event("sqs")["Records"][0]
    return {"Records": [{**template, "messageId": str(n), "body": json.dumps(b)} for n, b in enumerate(bodies)]}


def _waiting(url: str) -> list[dict[str, Any]]:
    messages = boto3.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    return [json.loads(message["Body"]) for message in messages]


def _keys(bucket: str, prefix: str) -> list[str]:
    listed = boto3.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix)
    return [item["Key"] for item in listed.get("Contents", [])]


def test_collect_answers_each_record(aws: dict[str, str]) -> None:
    """Of two observations the sound one is queued, and the wind of 1,048 mph is answered and kept in quarantine."""
    answer = handler("ingestion", "collect")(event("api_collect"))
    assert answer["statusCode"] == 202
    body = json.loads(answer["body"])
    assert body["accepted"] == 1
    assert [(r["index"], r["field"], r["rule"]) for r in body["rejected"]] == [(1, "wind_speed", "maximum")]
    (message,) = _waiting(aws["events"])
    assert [record["key"] for record in message["records"]] == ["JFK-1"]
    assert len(_keys("lake", "quarantine/weather/2013-03-01/")) == 1


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"body": "{"}, 400, "malformed_body"),
        ({"body": '[{"x": NaN}]'}, 400, "malformed_body"),
        ({"body": '[{"x": -Infinity}]'}, 400, "malformed_body"),
        ({"body": '{"x": 1, "x": 2}'}, 400, "malformed_body"),
        ({"body": "[" * 21 + "]" * 21}, 400, "malformed_body"),
        ({"body": "3"}, 400, "malformed_body"),
        ({"body": None}, 400, "malformed_body"),
        ({"body": "a", "isBase64Encoded": True}, 400, "malformed_body"),
        ({"body": " " * BODY_LIMIT + "{}"}, 413, "too_large"),
        ({"headers": {"content-type": "text/csv"}}, 415, "unsupported_type"),
        ({"body": json.dumps([{}] * 501)}, 413, "too_large"),
        ({"queryStringParameters": {"as_of": "yesterday"}}, 400, "malformed_body"),
        ({"queryStringParameters": {"as_of": "0001-01-01T00:00:00+14:00"}}, 400, "malformed_body"),
        ({"queryStringParameters": {"as_of": "2999-01-01T00:00:00Z"}}, 400, "malformed_body"),
        ({"rawPath": "/events/wether"}, 404, "not_found"),
    ],
)
def test_collect_says_what_is_wrong(aws: dict[str, str], change: dict[str, Any], status: int, code: str) -> None:
    """Each wrong request has its own status and code, and queues nothing."""
    request = {**event("api_collect"), **change}
    if "rawPath" in change:
        request["requestContext"]["http"]["path"] = change["rawPath"]
    answer = handler("ingestion", "collect")(request)
    assert answer["statusCode"] == status
    assert json.loads(answer["body"])["error"]["code"] == code
    assert _waiting(aws["events"]) == []


@pytest.mark.parametrize(
    ("changes", "field", "rule", "value"),
    [
        ({"colour": "red"}, "colour", "unknown", ""),
        ({"wind_speed": "9.2"}, "wind_speed", "type", "'9.2'"),
        ({"wind_speed": 1048.4}, "wind_speed", "maximum", "1048.4"),
        ({"wind_speed": -1}, "wind_speed", "minimum", "-1"),
        ({"origin": "BOS"}, "origin", "choices", "'BOS'"),
        ({"origin": None}, "origin", "required", "null"),
        ({"observation_id": ""}, "observation_id", "empty", "''"),
        ({"observation_id": "x" * 257}, "observation_id", "length", f"'{'x' * 80}'..."),
        ({"observed_at": "2013-03-01T08:00:00"}, "observed_at", "type", "'2013-03-01T08:00:00'"),
        ({"observed_at": "9013-03-01T08:00:00Z"}, "observed_at", "future", "'9013-03-01T08:00:00Z'"),
        ({"observed_at": "0001-01-01T00:00:00Z"}, "observed_at", "past", "'0001-01-01T00:00:00Z'"),
        ({"wind_speed": 9.3, "observation_id": "JFK-1"}, "observation_id", "duplicate", "'JFK-1'"),
    ],
)
def test_each_broken_rule_has_its_answer(
    aws: dict[str, str], changes: dict[str, Any], field: str, rule: str, value: str
) -> None:
    """Beside a sound record, a wrong one is told its index, field, rule and value, and waits in quarantine as sent."""
    request = event("api_collect")
    good = json.loads(request["body"])[0]
    wrong = {**good, "observation_id": "JFK-2", **changes}
    answer = handler("ingestion", "collect")({**request, "body": json.dumps([good, wrong])})
    assert answer["statusCode"] == 202
    body = json.loads(answer["body"])
    assert body["accepted"] == 1
    (rejection,) = body["rejected"]
    assert rejection == {"index": 1, "field": field, "rule": rule, "value": value, "message": rejection["message"]}
    assert rejection["message"].startswith(f"{field} is ")
    (key,) = _keys("lake", "quarantine/weather/2013-03-01/")
    waiting = json.loads(boto3.client("s3").get_object(Bucket="lake", Key=key)["Body"].read())
    assert waiting == {**rejection, "record": wrong}


@pytest.fixture
def people() -> Iterator[None]:
    """A project whose source has a pattern and a personal field, in the place of the shipped definitions."""
    fields = {"id": text(pattern=r"p-\d+"), "at": timestamp(), "email": text(pattern=r"[^@]++@[^@]+", pii=True)}
    source = Source("people", key="id", time="at", fields=fields)
    with patch("smallbox.define.project.load", lambda: project_of([], [source])):
        yield


def test_a_pattern_is_answered_and_a_personal_value_is_not(
    aws: dict[str, str], people: None, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """A key of the wrong form is shown; an address is in no answer and no log, only in quarantine."""
    request = event("api_collect")
    request["rawPath"] = request["requestContext"]["http"]["path"] = "/events/people"
    at = "2013-03-01T08:00:00Z"
    sent = [{"id": "q-1", "at": at, "email": "ann@home"}, {"id": "p-2", "at": at, "email": "ann.home"}]
    answer = handler("ingestion", "collect")({**request, "body": json.dumps(sent)})
    form, personal = json.loads(answer["body"])["rejected"]
    assert (form["field"], form["rule"], form["value"]) == ("id", "pattern", "'q-1'")
    assert (personal["field"], personal["rule"], personal["value"]) == ("email", "pattern", "hidden")
    logged = capsys.readouterr().out + str([vars(record) for record in caplog.records])
    assert "answered" in logged
    assert "ann" not in answer["body"] + logged
    (key,) = _keys("lake", "quarantine/people/2013-03-01/")
    kept = boto3.client("s3").get_object(Bucket="lake", Key=key)["Body"].read().splitlines()
    assert [json.loads(line)["record"] for line in kept] == sent


def _join_views() -> None:
    """The first step of a backfill of an empty lake: the views of the definition are live from now on."""
    handler("features", "backfill")({"step": "plan", "document": {}})


def test_a_record_reaches_the_lake_before_the_stream(aws: dict[str, str]) -> None:
    """The append handler commits a message to the lake and passes it on; the stream handler then applies it."""
    _join_views()
    handler("ingestion", "collect")(event("api_collect"))
    (message,) = _waiting(aws["events"])
    assert handler("ingestion", "append")(_sqs(message)) == {"batchItemFailures": []}
    rows = DeltaLake.in_bucket("lake").read("records/weather")
    assert rows is not None
    assert rows["key"].to_pylist() == ["JFK-1"]
    (passed_on,) = _waiting(aws["features"])
    assert handler("features", "stream")(_sqs(passed_on)) == {"batchItemFailures": []}
    assert DynamoOnlineStore("online").read([state_key(origin_weather, "JFK")])


def test_a_poor_message_is_returned_alone(aws: dict[str, str]) -> None:
    """Of a readable message and one of an unknown source, only the second is returned to the queue."""
    handler("ingestion", "collect")(event("api_collect"))
    (message,) = _waiting(aws["events"])
    answer = handler("ingestion", "append")(_sqs(message, {"source": "nowhere", "records": []}))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "1"}]}


def test_a_dropped_file_is_loaded_and_rebuilt(aws: dict[str, str]) -> None:
    """A CSV with a good and a bad row: one in the lake, one in quarantine, a report, and the store rebuilt from it."""
    _join_views()
    key = "drop/weather/as_of=2013-03-01T10:00:00Z/january.csv"
    lines = [HEAD, ROW.format(wind=9.2), ROW.replace("JFK-1", "JFK-2").format(wind=1048.4)]
    boto3.client("s3").put_object(Bucket="inbox", Key=key, Body="\n".join(lines).encode())
    created = event("object_created")
    created["detail"]["object"]["key"] = key
    assert handler("ingestion", "load")(_sqs(created)) == {"batchItemFailures": []}
    report = json.loads(boto3.client("s3").get_object(Bucket="lake", Key=f"reports/{key}.json")["Body"].read())
    assert (report["accepted"], report["rejected"]) == (1, 1)
    (rebuild,) = _waiting(aws["rebuild"])
    assert handler("features", "rebuild")(_sqs(rebuild)) == {"batchItemFailures": []}
    assert DynamoOnlineStore("online").read([state_key(origin_weather, "JFK")])


def test_a_backfill_goes_step_by_step(aws: dict[str, str]) -> None:
    """Plan, fill and publish take and give what the state machine passes on; then the view is readable."""
    handler("ingestion", "collect")(event("api_collect"))
    (message,) = _waiting(aws["events"])
    handler("ingestion", "append")(_sqs(message))
    step = handler("features", "backfill")
    plan = json.loads(json.dumps(step({"step": "plan", "document": {"as_of": "2013-03-01T12:00:00Z"}})))
    (part,) = plan["parts"]
    assert (part["source"], [view["name"] for view in part["views"]]) == ("weather", ["origin_weather"])
    filled = [step({"step": "fill", "document": part}) for part in plan["parts"]]
    published = step({"step": "publish", "document": {**plan, "filled": filled}})
    assert published["states"] == 1
    assert published["readable"] == {view.name: version_of(view) for view in load_project().views.values()}
    assert LiveViewStore(DynamoDocuments("registry")).read().not_ready(load_project().views.values()) == []
    assert DynamoOnlineStore("online").read([state_key(origin_weather, "JFK")])
    assert step({"step": "plan", "document": {}})["parts"] == [], "nothing is left to do"


def test_upkeep_brings_current_forward(aws: dict[str, str]) -> None:
    """The clock's event is empty: as of now the lake's record is in ``current``, once; an empty lake is no failure."""
    upkeep = handler("ingestion", "upkeep")
    assert upkeep({})["current"] == {}
    handler("ingestion", "collect")(event("api_collect"))
    (message,) = _waiting(aws["events"])
    for _ in range(2):
        handler("ingestion", "append")(_sqs(message))
    assert upkeep({})["current"]["weather"]["written"] == 1
    rows = DeltaLake.in_bucket("lake").read("current/weather")
    assert rows is not None
    assert rows["key"].to_pylist() == ["JFK-1"]
    earlier = upkeep({"as_of": "2013-03-02T00:00:00Z"})
    assert earlier["current"]["weather"]["written"] == 0
    assert earlier["current"]["weather"]["as_of"] > earlier["as_of"]


@pytest.mark.parametrize("as_of", ["yesterday", "2999-01-01T00:00:00Z", 7])
def test_upkeep_refuses_a_moment_that_is_not_past(aws: dict[str, str], as_of: Any) -> None:
    """A table brought to the future would stand there until it came."""
    with pytest.raises(InvalidInput, match=r"as_of.*give a moment that is past"):
        handler("ingestion", "upkeep")({"as_of": as_of})


def test_a_part_of_a_dropped_file_is_loaded_from_its_message(aws: dict[str, str]) -> None:
    """The message that a worker sends for a part leads another one to the part, the lake and the report."""
    _join_views()
    key, inbox = "drop/weather/all.csv", S3Blobs("inbox")
    folder = drop_folder(inbox, "parts/0")
    firsts = folder.keep(key, [FilePart(0, array("q", [2]), f"{HEAD}\n{ROW.format(wind=9.2)}\n".encode())])
    at = parse_day("2013-03-02")
    folder.write(LoadPlan(key, "weather", at, is_replayed=True, firsts=firsts, error=None, after=-1))
    message = {"key": key, "folder": folder.path, "number": 0}
    assert handler("ingestion", "load")(_sqs(message)) == {"batchItemFailures": []}
    rows = DeltaLake.in_bucket("lake").read("records/weather")
    assert rows is not None
    assert rows["received_at"].to_pylist() == [at]
    assert json.loads(S3Blobs("lake").get(f"reports/{key}.json"))["accepted"] == 1
    assert _keys("inbox", "parts/") == ["parts/0/00000.json", "parts/0/plan.json"]
    assert _waiting(aws["rebuild"]) == [{**rebuild_loaded("weather", at, -1), "as_of": at}]
