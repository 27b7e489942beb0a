"""Proves that the example of the page on calling the API signs what it sends, as AWS asks."""

from urllib.error import HTTPError

import pytest

from tests.fakes.pages import calling_example
from tests.fakes.signing import SigningServer


def _set(monkeypatch: pytest.MonkeyPatch, server: SigningServer, secret: str) -> None:
    monkeypatch.setenv("SMALLBOX_API", server.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", server.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, server.region)
    for name in ("AWS_SESSION_TOKEN", "AWS_PROFILE", "http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)


def test_the_example_is_signed_as_aws_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run as it stands on the page, both its calls arrive, and their signatures are those of the secret."""
    with SigningServer("eu-central-1", "somebody", "a secret").running() as server:
        _set(monkeypatch, server, "a secret")
        names = calling_example()
    flight = names["flight"]
    assert server.heard == [
        ("POST", "/events/departures", [flight]),
        ("POST", "/models/late_arrival/predict", {"instances": [flight]}),
    ]
    assert names["predicted"] == {"signed": True}


def test_a_wrong_secret_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server of these tests can tell: another secret gets 403."""
    with SigningServer("eu-central-1", "somebody", "a secret").running() as server:
        _set(monkeypatch, server, "another")
        with pytest.raises(HTTPError, match="403") as refused:
            calling_example()
        refused.value.close()
    assert server.heard == []
