"""Proves what an HTTPS function reads of an event, and that each error has its response."""

import json
from types import SimpleNamespace
from typing import Any, Final

import pytest

from smallbox.aws.api import Api, Request, Response, answer, binary_answer

CONTEXT: Final = SimpleNamespace(aws_request_id="request-1")


def _event(route: str = "GET /models/{model}", **changes: Any) -> dict[str, Any]:
    return {
        "routeKey": route,
        "rawPath": "/models/m",
        "headers": {"Content-Type": "application/json", "X-Own": "Kept"},
        "requestContext": {"requestId": "r"},
        "pathParameters": {"model": "m"},
        **changes,
    }


@pytest.mark.parametrize(
    "headers",
    [{"cache-control": "no-cache"}, {"Cache-Control": "No-Cache, max-age=0"}],
)
def test_no_cache_is_read_from_the_header(headers: dict[str, str]) -> None:
    """However it is written, and beside other directives; without it, what is remembered may be used."""
    assert Request.of(_event(headers=headers)).is_fresh
    assert not Request.of(_event(headers={"Cache-Control": "max-age=3"})).is_fresh
    assert not Request.of(_event()).is_fresh


def test_a_request_without_optional_parts_is_read() -> None:
    """API Gateway leaves out what a request does not have."""
    request = Request.of({"requestContext": {"requestId": "r"}})
    assert (request.id, request.body, request.content_type, request.query("as_of"), request.names) == (
        "r", b"", None, None, {},
    )  # fmt: skip


def test_a_route_gets_its_names_and_an_unknown_one_is_not_found() -> None:
    """The function answers the route that API Gateway names, whatever the path."""
    api = Api()
    api.add("GET /models/{model}", lambda request: answer(200, {"found": request.names["model"]}))
    assert json.loads(api(_event(), CONTEXT)["body"]) == {"found": "m"}
    assert api(_event("GET /other"), CONTEXT)["statusCode"] == 404


def test_an_error_that_is_not_ours_is_a_500_without_its_words(capsys: pytest.CaptureFixture[str]) -> None:
    """Its message may hold a value of a person; the line of the answer has route and status."""

    def failing(_: Request) -> Response:
        raise ValueError("could not convert 'alice@example.org'")

    api = Api()
    api.add("GET /models/{model}", failing)
    answered = api(_event(), CONTEXT)
    assert (answered["statusCode"], "alice" in answered["body"]) == (500, False)
    lines = capsys.readouterr().out
    assert "alice" not in lines
    last = json.loads(lines.splitlines()[-1])
    assert (last["message"], last["route"], last["status"]) == ("answered", "GET /models/{model}", 500)
    assert last["function_request_id"] == "request-1"


def test_bytes_are_answered_as_base64() -> None:
    """API Gateway turns them back."""
    answered = binary_answer(200, "application/octet-stream", b"\x00\xff", {"X-Length": "2"})
    assert (answered["body"], answered["isBase64Encoded"]) == ("AP8=", True)
    assert answered["headers"] == {"Content-Type": "application/octet-stream", "X-Length": "2"}
