"""Proves how signed reads survive what a network, a busy table and expiring credentials do to them."""

import base64
import json
import select
import zlib
from collections.abc import Callable
from email.message import Message
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import CredentialRetrievalError

from smallbox.aws.online import DynamoOnlineStore
from smallbox.aws.signed.dynamodb import SignedDynamoDb
from smallbox.aws.signed.service import ATTEMPTS
from smallbox.errors import Unavailable
from smallbox.ports import StateKey
from tests.fakes.http import HANG_UP, Played, playing

KEYS = [StateKey("carrier", "UA"), StateKey("carrier", "AA")]
ITEMS = {
    f"s#carrier##{name}": {
        "pk": {"S": f"s#carrier##{name}"},
        "packed": {"B": base64.b64encode(name.encode()).decode()},
        "version": {"N": "7"},
    }
    for name in ("UA", "AA")
}
Step = Callable[[list[str]], Played | None]


def _answered(document: dict[str, Any]) -> Played:
    body = json.dumps(document).encode()
    return 200, {"x-amz-crc32": str(zlib.crc32(body))}, body


def good(asked: list[str]) -> Played:
    """Everything that was asked for."""
    return _answered({"Responses": {"online": [ITEMS[key] for key in asked]}, "UnprocessedKeys": {}})


def half(asked: list[str]) -> Played:
    """The first key's item; the others are left over."""
    rest = {"online": {"Keys": [{"pk": {"S": key}} for key in asked[1:]], "ConsistentRead": True}}
    return _answered({"Responses": {"online": [ITEMS[asked[0]]]}, "UnprocessedKeys": rest if asked[1:] else {}})


def none_of_it(asked: list[str]) -> Played:
    """All keys are left over."""
    rest = {"online": {"Keys": [{"pk": {"S": key}} for key in asked], "ConsistentRead": True}}
    return _answered({"Responses": {"online": []}, "UnprocessedKeys": rest})


def hung_up(asked: list[str]) -> None:
    """The connection is closed without an answer."""


def damaged(asked: list[str]) -> Played:
    """An answer that does not match its checksum."""
    status, headers, body = good(asked)
    return status, headers, body.replace(b"carrier", b"cbrrier")


def cut_off(asked: list[str]) -> Played:
    """Half an answer, without a checksum."""
    status, _, body = good(asked)
    return status, {}, body[: len(body) // 2]


def page(asked: list[str]) -> Played:
    """A gateway's error page."""
    return 502, {}, b"<html>bad gateway</html>"


def refusal(code: str, status: int = 400) -> Step:
    """An error as DynamoDB answers it."""
    body = json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "because"}).encode()
    return lambda _: (status, {"x-amz-crc32": str(zlib.crc32(body))}, body)


throttled = [refusal("ProvisionedThroughputExceededException"), refusal("ThrottlingException")]
failing = [hung_up, damaged, cut_off, page, refusal("InternalServerError", 500), *throttled]


class Server:
    """Plays a script, the last step for ever; keeps who signed each request, and how often it connected."""

    def __init__(self, *steps: Step) -> None:
        self.steps = list(steps)
        self.signers: list[str] = []
        self.tokens: list[str | None] = []

    def __call__(self, headers: "Message[str, str]", body: bytes) -> Played | None:
        self.signers.append(headers["authorization"].partition("Credential=")[2].partition("/")[0])
        self.tokens.append(headers["x-amz-security-token"])
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        request = json.loads(body)["RequestItems"]["online"]
        assert request["ConsistentRead"] is True
        return step([key["pk"]["S"] for key in request["Keys"]])


class Keyring:
    """Credentials that are rotated by hand, as a refresh would; the next ones are found when asked for anew."""

    def __init__(self, *names: str) -> None:
        self.names = list(names)
        self.found = 0

    def __call__(self, *, anew: bool) -> Any:
        self.found += 1
        if anew:
            self.names.pop(0)
        return self if self.names else None

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        return ReadOnlyCredentials(self.names[0], "secret", f"token of {self.names[0]}")


class Pauses(list[int]):
    """The pauses that were made."""

    def __call__(self, attempt: int) -> None:
        self.append(attempt)


def _read(
    server: Server, keyring: Any = None, keys: list[StateKey] = KEYS, pauses: Pauses | None = None
) -> dict[str, bytes]:
    made = Pauses() if pauses is None else pauses
    with playing(server) as endpoint:
        reads = SignedDynamoDb(endpoint, "eu-central-1", keyring or Keyring("first", "second"), made)
        found = DynamoOnlineStore("online", object(), reads, made).read(keys)
    return {key.entity: state.packed for key, state in found.items()}


def test_what_is_stored_is_read_signed() -> None:
    """Both items come in one request, which names the signer and carries its token."""
    server = Server(good)
    assert _read(server) == {"UA": b"UA", "AA": b"AA"}
    assert (server.signers, server.tokens) == (["first"], ["token of first"])


@pytest.mark.parametrize("failure", failing)
def test_a_failure_that_may_pass_is_tried_again(failure: Step) -> None:
    """A dropped connection, a damaged or broken answer, a failing server and a throttled request."""
    pauses = Pauses()
    assert _read(Server(failure, failure, failure, good), pauses=pauses) == {"UA": b"UA", "AA": b"AA"}
    assert pauses == [1, 2, 3]


@pytest.mark.parametrize("failure", failing)
def test_a_failure_that_stays_is_unavailable(failure: Step) -> None:
    """After the last attempt the store counts as unavailable."""
    server = Server(failure)
    with pytest.raises(Unavailable, match="did not answer in 4 attempts"):
        _read(server)
    assert len(server.signers) == ATTEMPTS


@pytest.mark.parametrize("code", ["ResourceNotFoundException", "AccessDeniedException", "InvalidSignatureException"])
def test_a_refusal_is_unavailable_at_once(code: str) -> None:
    """What no repetition changes is not repeated, and says what DynamoDB said."""
    server = Server(refusal(code))
    with pytest.raises(Unavailable, match=f"400 {code}: because"):
        _read(server)
    assert len(server.signers) == 1


def test_what_a_batch_left_over_is_asked_for_again() -> None:
    """Keys that DynamoDB left unprocessed are read after a pause; where that goes on the store is unavailable."""
    pauses = Pauses()
    assert _read(Server(half), pauses=pauses) == {"UA": b"UA", "AA": b"AA"}
    assert pauses == [1]
    with pytest.raises(Unavailable, match="unprocessed"):
        _read(Server(none_of_it))


def test_rotated_credentials_sign_from_the_next_request_on() -> None:
    """Credentials are asked for at each request: a refresh of them needs no error first."""
    server, keyring = Server(good), Keyring("first")
    with playing(server) as endpoint:
        store = DynamoOnlineStore("online", object(), SignedDynamoDb(endpoint, "eu-central-1", keyring))
        store.read(KEYS)
        keyring.names = ["rotated"]
        store.read(KEYS)
    assert server.signers == ["first", "rotated"]
    assert keyring.found == 1


@pytest.mark.parametrize("code", ["ExpiredTokenException", "UnrecognizedClientException"])
def test_refused_credentials_are_looked_for_anew_once(code: str) -> None:
    """Other credentials may be good; when those are refused too, the store is unavailable."""
    server = Server(refusal(code), good)
    assert set(_read(server)) == {"UA", "AA"}
    assert server.signers == ["first", "second"]
    server = Server(refusal(code))
    with pytest.raises(Unavailable, match=code):
        _read(server, Keyring("first", "second", "third"))
    assert server.signers == ["first", "second"]


def _cannot_refresh(*, anew: bool) -> Any:
    def fail() -> ReadOnlyCredentials:
        raise CredentialRetrievalError(provider="container", error_msg="gone")

    return SimpleNamespace(get_frozen_credentials=fail)


def _cannot_be_found(*, anew: bool) -> Any:
    raise CredentialRetrievalError(provider="container", error_msg="gone")


@pytest.mark.parametrize("find", [Keyring(), _cannot_refresh, _cannot_be_found])
def test_without_credentials_the_store_is_unavailable(find: Any) -> None:
    """None to be found, or none to be refreshed: nothing is sent."""
    server = Server(good)
    with pytest.raises(Unavailable, match="credentials"):
        _read(server, find)
    assert server.signers == []


@pytest.mark.parametrize("header", [HANG_UP, "connection"])
def test_an_idle_connection_that_was_closed_costs_no_attempt(header: str) -> None:
    """A server that hung up between two requests, announced or not, is noticed before the next one is sent."""
    pauses = Pauses()

    def closing(asked: list[str]) -> Played:
        status, headers, body = good(asked)
        return status, {**headers, header: "close"}, body

    with playing(Server(closing)) as endpoint:
        reads = SignedDynamoDb(endpoint, "eu-central-1", Keyring("first"), pauses)
        for _ in range(3):
            assert len(DynamoOnlineStore("online", object(), reads, pauses).read(KEYS)) == 2
            kept = reads._connection._socket
            assert kept is None or select.select([kept], [], [], 5)[0], "the goodbye has come"
    assert pauses == []


def test_a_good_connection_is_kept() -> None:
    """Request after request goes over one connection."""
    with playing(Server(good)) as endpoint:
        reads = SignedDynamoDb(endpoint, "eu-central-1", Keyring("first"))
        socks = set()
        for _ in range(3):
            DynamoOnlineStore("online", object(), reads).read(KEYS)
            socks.add(reads._connection._socket)
    assert len(socks) == 1
    assert None not in socks
