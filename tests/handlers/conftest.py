"""Handlers as Lambda would run them: their own file, their own settings, AWS played by moto, Delta on a folder."""

import importlib.util
import json
import re
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import boto3
import pytest
from moto import mock_aws

from smallbox.aws import clients
from smallbox.aws.api import Api
from smallbox.aws.delta_lake import DeltaLake
from smallbox.aws.replays import ALLOWED
from smallbox.aws.settings import VARIABLE_PREFIX
from smallbox.aws.signed import s3, service
from tests.fakes.described import check_described
from tests.fakes.http import moto, playing

ROOT = Path(__file__).parents[2]
REGION: Final = "eu-central-1"
QUEUES = ("events", "drops", "features", "rebuild", "predictions")
TABLES = {"online": ("pk",), "registry": ("pk", "sk"), "metrics": ("pk", "sk"), "limits": ("pk",)}
BUCKETS = ("inbox", "lake")

Handler = Callable[[dict[str, Any]], dict[str, Any]]


def event(name: str) -> dict[str, Any]:
    """A real event, as AWS sends it, from tests/events."""
    loaded: dict[str, Any] = json.loads((ROOT / "tests" / "events" / f"{name}.json").read_text())
    return loaded


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The stores, empty, and every function's settings in the environment; yields the queue urls by name."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "smallbox")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setattr(DeltaLake, "in_bucket", lambda bucket: DeltaLake(str(tmp_path / bucket), options={}))
    with mock_aws(), playing(moto) as endpoint:
        # signed requests pass moto's patches of botocore by
        monkeypatch.setattr(service, "endpoint_of", lambda _: endpoint)
        monkeypatch.setattr(s3, "endpoint_of", lambda _: endpoint)
        monkeypatch.setattr(s3, "is_in_path", lambda _: True)
        clients.client.cache_clear()
        yield _stores(monkeypatch)
    clients.client.cache_clear()


def _stores(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    buckets, sqs = boto3.client("s3"), boto3.client("sqs")
    dynamodb: Any = boto3.client("dynamodb")
    for bucket in BUCKETS:
        buckets.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        monkeypatch.setenv(f"{VARIABLE_PREFIX}{bucket.upper()}_BUCKET", bucket)
    for table, keys in TABLES.items():
        dynamodb.create_table(
            TableName=table,
            KeySchema=[{"AttributeName": k, "KeyType": t} for k, t in zip(keys, ("HASH", "RANGE"), strict=False)],
            AttributeDefinitions=[{"AttributeName": k, "AttributeType": "S"} for k in keys],
            BillingMode="PAY_PER_REQUEST",
        )
        monkeypatch.setenv(f"{VARIABLE_PREFIX}{table.upper()}_TABLE", table)
    urls = {name: sqs.create_queue(QueueName=name)["QueueUrl"] for name in QUEUES}
    for name, url in urls.items():
        monkeypatch.setenv(f"{VARIABLE_PREFIX}{name.upper()}_QUEUE", url)
    monkeypatch.setenv(f"{VARIABLE_PREFIX}AS_OF", ALLOWED)
    monkeypatch.setenv(f"{VARIABLE_PREFIX}ALARMS_TOPIC", boto3.client("sns").create_topic(Name="alarms")["TopicArn"])
    for machine in ("training", "scoring"):
        arn = f"arn:aws:states:{REGION}:123456789012:stateMachine:{machine}"
        monkeypatch.setenv(f"{VARIABLE_PREFIX}{machine.upper()}_MACHINE", arn)
    return urls


def handler(stage: str, job: str) -> Handler:
    """Import a function's handler file afresh, as a cold start does."""
    name = f"handler_{stage}_{job}"
    spec = importlib.util.spec_from_file_location(name, ROOT / "functions" / stage / job / "handler.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    context = SimpleNamespace(
        function_name=f"{stage}-{job}",
        memory_limit_in_mb=512,
        invoked_function_arn=f"arn:aws:lambda:{REGION}:123456789012:function:{stage}-{job}",
        aws_request_id="52fdfc07-2182-454f-963f-5f0f9a621d72",
    )
    return partial(_handled, module.handler, context)


def _routed(api: Api, payload: dict[str, Any]) -> dict[str, Any]:
    """The event with the route that API Gateway finds for its method and path, and the parameters of the path."""
    http = payload["requestContext"]["http"]
    for route in api.routes:
        method, _, pattern = route.partition(" ")
        found = re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", pattern), http["path"])
        if found and method == http["method"]:
            return {**payload, "routeKey": route, "pathParameters": found.groupdict()}
    return {**payload, "routeKey": "$default", "pathParameters": {}}


def _handled(function: Any, context: Any, payload: dict[str, Any]) -> dict[str, Any]:
    """What the function returns; an answer of the API is compared with the API's description."""
    is_http = isinstance(function, Api) and "http" in payload.get("requestContext", {})
    answer: dict[str, Any] = function(_routed(function, payload) if is_http else payload, context)
    if "http" in payload.get("requestContext", {}):
        check_described(payload, answer)
    return answer
