"""Proves that signed clients find the endpoint, the region and the keys that botocore would, and stop in time."""

from collections.abc import Mapping
from email.message import Message
from typing import Any

import boto3
import pytest

from smallbox.aws.clients import client
from smallbox.aws.signed.credentials import SigningKeys, found_credentials
from smallbox.aws.signed.dynamodb import SignedDynamoDb
from smallbox.aws.signed.service import endpoint_of
from smallbox.errors import Unavailable
from smallbox.times import MILLISECOND
from tests.fakes.http import playing

KEYS: Mapping[str, str] = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t"}


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """No endpoint and no profile of this machine."""
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SQS", "AWS_PROFILE", "AWS_USE_FIPS_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("region", ["eu-central-1", "us-east-1", "ap-southeast-2", "cn-north-1", "us-gov-west-1"])
@pytest.mark.parametrize("service", ["dynamodb", "sqs"])
def test_the_endpoint_is_botocores(monkeypatch: pytest.MonkeyPatch, service: str, region: str) -> None:
    """In every partition."""
    monkeypatch.setenv("AWS_REGION", region)
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    client.cache_clear()
    make: Any = boto3.client
    assert endpoint_of(service) == make(service, region_name=region).meta.endpoint_url


def test_the_environment_may_name_another_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    """That of the service goes before that of all."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://all")
    assert endpoint_of("sqs") == "http://all"
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", "http://own")
    assert endpoint_of("sqs") == "http://own"


def test_a_lambda_function_signs_with_the_keys_of_its_environment() -> None:
    """Nothing is imported and nothing is asked for."""
    found = found_credentials(anew=False, env={**KEYS, "AWS_LAMBDA_FUNCTION_NAME": "predict"})
    assert found.get_frozen_credentials() == SigningKeys("a", "s", "t")


def test_elsewhere_botocore_finds_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it does where the keys of the environment were refused."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    for env in ({}, {**KEYS, "AWS_LAMBDA_FUNCTION_NAME": "predict"}):
        assert found_credentials(anew=True, env=env).get_frozen_credentials().access_key == "a"


def test_a_read_ends_with_its_time_budget() -> None:
    """However many attempts are left: a store that only fails is given up when the time is over."""
    attempts: list[bytes] = []
    waited: list[int] = []

    def failing(_: "Message[str, str]", body: bytes) -> tuple[int, Mapping[str, str], bytes]:
        attempts.append(body)
        return 500, {}, b"{}"

    with playing(failing) as endpoint:
        reads = SignedDynamoDb(endpoint, "eu-central-1", _keys, waited.append)
        with pytest.raises(Unavailable, match="within the time budget"):
            reads.batch_get_item(within=-MILLISECOND, RequestItems={})
        assert attempts == []
        with pytest.raises(Unavailable, match="4 attempts"):
            reads.batch_get_item(within=60_000 * MILLISECOND, RequestItems={})
    assert len(attempts) == 4


def _keys(*, anew: bool) -> Any:
    del anew
    return found_credentials(anew=False, env={**KEYS, "AWS_LAMBDA_FUNCTION_NAME": "predict"})
