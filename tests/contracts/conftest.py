"""The adapters that the contract suites run on: the fake and the real one of each port."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import boto3
import pytest
from deltalake import DeltaTable
from moto import mock_aws

from smallbox.aws.blobs import S3Blobs
from smallbox.aws.canary_counters import DynamoCanaryCounters
from smallbox.aws.delta_lake import DeltaLake
from smallbox.aws.documents import DynamoDocuments
from smallbox.aws.online import DynamoOnlineStore
from smallbox.aws.signed.dynamodb import SignedDynamoDb
from smallbox.aws.signed.s3 import SignedBucket
from smallbox.aws.token_buckets import DynamoTokenBuckets
from smallbox.ports import Blobs, Documents, Lake, OnlineStore
from smallbox.release_ports import CanaryCounters
from smallbox.serving_ports import TokenBuckets
from tests.fakes.buckets import FakeTokenBuckets
from tests.fakes.counters import FakeCanaryCounters
from tests.fakes.documents import FakeDocuments
from tests.fakes.edges import FakeBlobs
from tests.fakes.http import moto, playing
from tests.fakes.lake import FakeLake
from tests.fakes.online import FakeOnlineStore

REGION: Final = "eu-central-1"

Write = Callable[[Lake], None]
"""What a writer does to a lake."""


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """AWS as moto plays it, with credentials that are good nowhere else."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield


def _table(dynamodb: Any, name: str, *keys: str) -> None:
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        BillingMode="PAY_PER_REQUEST",
    )


@pytest.fixture
def endpoint(aws: None) -> Iterator[str]:
    """The same moto over real HTTP."""
    with playing(moto) as url:
        yield url


@pytest.fixture
def signed(endpoint: str) -> SignedDynamoDb:
    """Signed reads of the same moto."""
    return SignedDynamoDb(endpoint, REGION)


@pytest.fixture(params=["fake", "moto", "signed"])
def online(request: pytest.FixtureRequest, aws: None, signed: SignedDynamoDb) -> OnlineStore:
    """An empty online store."""
    if request.param == "fake":
        return FakeOnlineStore()
    dynamodb = boto3.client("dynamodb", region_name=REGION)
    _table(dynamodb, "online", "pk")
    other = signed if request.param == "signed" else None
    return DynamoOnlineStore("online", dynamodb, reads=other, writes=other)


@pytest.fixture(params=["fake", "moto", "signed"])
def documents(request: pytest.FixtureRequest, aws: None, signed: SignedDynamoDb) -> Documents:
    """An empty document table."""
    if request.param == "fake":
        return FakeDocuments()
    dynamodb = boto3.client("dynamodb", region_name=REGION)
    _table(dynamodb, "documents", "pk", "sk")
    return DynamoDocuments("documents", dynamodb, reads=signed if request.param == "signed" else None)


@pytest.fixture(params=["fake", "moto"])
def canary_counters(request: pytest.FixtureRequest, aws: None) -> CanaryCounters:
    """An empty table of counters."""
    if request.param == "fake":
        return FakeCanaryCounters()
    dynamodb = boto3.client("dynamodb", region_name=REGION)
    _table(dynamodb, "metrics", "pk", "sk")
    return DynamoCanaryCounters("metrics", dynamodb)


@pytest.fixture(params=["fake", "signed"])
def token_buckets(request: pytest.FixtureRequest, aws: None, signed: SignedDynamoDb) -> TokenBuckets:
    """An empty table of token buckets; the real adapter has signed requests only."""
    if request.param == "fake":
        return FakeTokenBuckets()
    _table(boto3.client("dynamodb", region_name=REGION), "limits", "pk")
    return DynamoTokenBuckets("limits", signed)


@pytest.fixture(params=["fake", "moto", "signed"])
def blobs(request: pytest.FixtureRequest, aws: None, endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Blobs:
    """An empty bucket."""
    if request.param == "fake":
        return FakeBlobs()
    s3 = boto3.client("s3", region_name=REGION)
    s3.create_bucket(Bucket="blobs", CreateBucketConfiguration={"LocationConstraint": REGION})
    if request.param == "moto":
        return S3Blobs("blobs", s3)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", endpoint)
    monkeypatch.setenv("AWS_REGION", REGION)
    return S3Blobs("blobs", s3, SignedBucket("blobs"))


@pytest.fixture(params=["fake", "delta"])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Lake:
    """An empty lake; the real one is Delta Lake on a folder, on S3 in the deployed tests."""
    return FakeLake() if request.param == "fake" else DeltaLake(str(tmp_path), options={})


class _OvertakenLake(DeltaLake):
    """Lets another writer write once, after it has read the table and before it commits."""

    meanwhile: Callable[[], None] | None = None

    def _latest(self, table: str) -> DeltaTable | None:
        opened = super()._latest(table)
        write, self.meanwhile = self.meanwhile, None
        if write is not None:
            write()
        return opened


@pytest.fixture
def overtaken(lake: Lake, tmp_path: Path) -> Callable[[Write], Lake]:
    """Gives a writer of the same lake whose next upsert meets another writer, between its reading and its commit."""

    def make(other: Write) -> Lake:
        slow = lake if isinstance(lake, FakeLake) else _OvertakenLake(str(tmp_path), options={})
        slow.meanwhile = partial(other, lake)
        return slow

    return make
