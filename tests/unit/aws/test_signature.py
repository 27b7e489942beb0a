"""Proves that our signatures are botocore's, to the byte."""

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from unittest.mock import patch

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials
from hypothesis import given
from hypothesis import strategies as st

from smallbox.aws.signed.credentials import SigningKeys
from smallbox.aws.signed.s3 import path_of
from smallbox.aws.signed.service import CONTENT_TYPE
from smallbox.aws.signed.signature import Signer
from smallbox.times import SECOND, Micros, to_datetime

visible = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60)
moments = st.datetimes(datetime(2013, 1, 1), datetime(2100, 1, 1)).map(  # noqa: DTZ001 - hypothesis asks for naive ones
    lambda moment: int(moment.replace(tzinfo=UTC).timestamp()) * SECOND
)
credentials = st.builds(ReadOnlyCredentials, visible, visible, st.none() | visible)
requests = st.tuples(st.binary(max_size=300), credentials, moments)

TARGET = "DynamoDB_20120810.BatchGetItem"


def _by_botocore(url: str, body: bytes, signing: ReadOnlyCredentials, at: Micros) -> dict[str, str]:
    headers = {"x-amz-target": TARGET, "content-type": CONTENT_TYPE}
    request = AWSRequest("POST", url, headers=headers, data=body)
    keys: Any = signing
    with patch("botocore.auth.get_current_datetime", return_value=to_datetime(at).replace(tzinfo=None)):
        SigV4Auth(keys, "dynamodb", "eu-central-1").add_auth(request)
    return {name.lower(): value for name, value in request.headers.items()}


def _keys(signing: ReadOnlyCredentials) -> SigningKeys:
    return SigningKeys(signing.access_key or "", signing.secret_key or "", signing.token)


def _of_s3(url: str, signing: ReadOnlyCredentials, at: Micros) -> dict[str, str]:
    request = AWSRequest("GET", url)
    keys: Any = signing
    with patch("botocore.auth.get_current_datetime", return_value=to_datetime(at).replace(tzinfo=None)):
        S3SigV4Auth(keys, "s3", "eu-central-1").add_auth(request)
    return {name.lower(): value for name, value in request.headers.items()}


@given(st.lists(requests, min_size=1, max_size=4), st.sampled_from(["dynamodb.eu-central-1.amazonaws.com", "x:4566"]))
def test_every_request_is_signed_as_botocore_signs_it(
    sent: list[tuple[bytes, ReadOnlyCredentials, Micros]], host: str
) -> None:
    """Whatever the bodies, keys, tokens and moments of the requests that one signer has signed before."""
    signer = Signer("dynamodb", "eu-central-1", host)
    for body, signing, at in sent:
        extra = {"content-type": CONTENT_TYPE, "x-amz-target": TARGET}
        ours = signer.headers(("POST", "/"), extra, sha256(body).hexdigest(), _keys(signing), at)
        assert ours == {"host": host, **_by_botocore(f"https://{host}/", body, signing, at)}


@given(credentials, moments, st.text(min_size=1, max_size=30))
def test_an_object_is_asked_for_as_botocore_asks_for_it(signing: ReadOnlyCredentials, at: Micros, key: str) -> None:
    """Also where its key has characters that a path must encode."""
    host, path = "b.s3.eu-central-1.amazonaws.com", path_of(f"/{key}")
    empty = sha256(b"").hexdigest()
    ours = Signer("s3", "eu-central-1", host).headers(
        ("GET", path), {"x-amz-content-sha256": empty}, empty, _keys(signing), at
    )
    assert ours == {"host": host, **_of_s3(f"https://{host}{path}", signing, at)}
