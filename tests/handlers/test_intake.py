"""Proves that each handler of data in does its work on the very event that AWS sends, with its own settings alone."""

import json
from typing import Any

import boto3
import pytest

from smallbox.aws.blobs import S3Blobs
from smallbox.aws.lake import DeltaLake
from smallbox.aws.online import DynamoOnlineStore
from smallbox.ingestion.parts import Part
from smallbox.ingestion.plan import Plan, Shelf
from smallbox.ports import StateKey
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
        ({"headers": {"content-type": "text/csv"}}, 415, "unsupported_type"),
        ({"body": json.dumps([{}] * 501)}, 413, "too_large"),
        ({"queryStringParameters": {"as_of": "yesterday"}}, 400, "malformed_body"),
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


def test_a_record_reaches_the_lake_before_the_stream(aws: dict[str, str]) -> None:
    """The append handler commits a message to the lake and passes it on; the stream handler then applies it."""
    handler("ingestion", "collect")(event("api_collect"))
    (message,) = _waiting(aws["events"])
    assert handler("ingestion", "append")(_sqs(message)) == {"batchItemFailures": []}
    rows = DeltaLake.in_bucket("lake").read("records/weather")
    assert rows is not None
    assert rows["key"].to_pylist() == ["JFK-1"]
    (passed_on,) = _waiting(aws["features"])
    assert handler("features", "stream")(_sqs(passed_on)) == {"batchItemFailures": []}
    assert StateKey("origin_weather", "JFK") in DynamoOnlineStore("online").read([StateKey("origin_weather", "JFK")])


def test_a_poor_message_is_returned_alone(aws: dict[str, str]) -> None:
    """Of a readable message and one of an unknown source, only the second is returned to the queue."""
    handler("ingestion", "collect")(event("api_collect"))
    (message,) = _waiting(aws["events"])
    answer = handler("ingestion", "append")(_sqs(message, {"source": "nowhere", "records": []}))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "1"}]}


def test_a_dropped_file_is_loaded_and_rebuilt(aws: dict[str, str]) -> None:
    """A CSV with a good and a bad row: one in the lake, one in quarantine, a report, and the store rebuilt from it."""
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
    assert DynamoOnlineStore("online").read([StateKey("origin_weather", "JFK")])


def test_a_part_of_a_dropped_file_is_loaded_from_its_message(aws: dict[str, str]) -> None:
    """The message that a worker sends for a part leads another one to the part, the lake and the report."""
    key, inbox = "drop/weather/all.csv", S3Blobs("inbox")
    shelf = Shelf(inbox, "parts/0")
    places = shelf.keep(key, [Part(0, 0, f"{HEAD}\n{ROW.format(wind=9.2)}\n".encode())])
    shelf.write(Plan(key, "weather", parse_day("2013-03-02"), is_replayed=True, places=places, error=None))
    message = {"key": key, "folder": shelf.folder, "number": 0}
    assert handler("ingestion", "load")(_sqs(message)) == {"batchItemFailures": []}
    rows = DeltaLake.in_bucket("lake").read("records/weather")
    assert rows is not None
    assert rows["received_at"].to_pylist() == [parse_day("2013-03-02")]
    assert json.loads(S3Blobs("lake").get(f"reports/{key}.json"))["accepted"] == 1
    assert _keys("inbox", "parts/") == ["parts/0/00000.json", "parts/0/plan.json"]
    assert _waiting(aws["rebuild"]) == [{"source": "weather", "as_of": parse_day("2013-03-02")}]


def test_compact_passes_the_day_on(aws: dict[str, str]) -> None:
    """The first task of the day leaves its document as it was, whether or not there is anything to compact."""
    document = {"model": "late_arrival", "as_of": "2013-03-02T00:00:00Z"}
    assert handler("ingestion", "compact")(document) == document
