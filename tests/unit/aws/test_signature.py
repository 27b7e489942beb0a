"""Proves that our signatures are botocore's, to the byte."""

from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials
from hypothesis import given
from hypothesis import strategies as st

from smallbox.aws.dynamodb.signature import CONTENT_TYPE, Signer
from smallbox.times import SECOND, Micros, to_datetime

visible = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60)
moments = st.datetimes(datetime(2013, 1, 1), datetime(2100, 1, 1)).map(  # noqa: DTZ001 - hypothesis asks for naive ones
    lambda moment: int(moment.replace(tzinfo=UTC).timestamp()) * SECOND
)
credentials = st.builds(ReadOnlyCredentials, visible, visible, st.none() | visible)
requests = st.tuples(st.binary(max_size=300), credentials, moments)

TARGET = "DynamoDB_20120810.BatchGetItem"


def _by_botocore(endpoint: str, body: bytes, signing: ReadOnlyCredentials, at: Micros) -> dict[str, str]:
    headers = {"x-amz-target": TARGET, "content-type": CONTENT_TYPE}
    request = AWSRequest("POST", f"{endpoint}/", headers=headers, data=body)
    keys: Any = signing
    with patch("botocore.auth.get_current_datetime", return_value=to_datetime(at).replace(tzinfo=None)):
        SigV4Auth(keys, "dynamodb", "eu-central-1").add_auth(request)
    return {name.lower(): value for name, value in request.headers.items()}


@given(st.lists(requests, min_size=1, max_size=4), st.sampled_from(["dynamodb.eu-central-1.amazonaws.com", "x:4566"]))
def test_every_request_is_signed_as_botocore_signs_it(
    sent: list[tuple[bytes, ReadOnlyCredentials, Micros]], host: str
) -> None:
    """Whatever the bodies, keys, tokens and moments of the requests that one signer has signed before."""
    signer = Signer("dynamodb", "eu-central-1", host)
    for body, signing, at in sent:
        ours = signer.headers(TARGET, body, signing, at)
        assert ours == {"host": host, **_by_botocore(f"https://{host}", body, signing, at)}
