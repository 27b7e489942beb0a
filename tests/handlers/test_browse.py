"""Proves that each route of the browsing function reaches its answer, and that what is not there is a 404."""

import json
from typing import Any

import pytest

from smallbox.cli.demo import MODEL, OTHERS
from tests.handlers.conftest import event, handler

DAY = "2013-03-01"
EMPTY: dict[str, tuple[int, Any]] = {
    "/status": (
        200,
        {
            "models": [
                {
                    "name": name, "champion": None, "canary": None, "shadow": None, "last_training": None, "day": None,
                    "breaches": [], "incidents": [], "sources": [], "is_changed": False, "trained_version": None,
                }
                for name in (*OTHERS, MODEL)
            ],
            "views": [],
        },
    ),
    "/contracts": (200, {"sources": {}, "models": {}, "readers": []}),
    "/models": (200, {"models": [{"name": name, "routing": None} for name in (*OTHERS, MODEL)]}),
    f"/models/{MODEL}/versions": (200, {"versions": []}),
    f"/models/{MODEL}/history": (200, {"history": []}),
    f"/models/{MODEL}/incidents": (200, {"incidents": []}),
    "/models/nobody/incidents": (404, "not_found"),
    f"/models/{MODEL}/metrics/{DAY}": (404, "not_found"),
    "/models/nobody/versions": (404, "not_found"),
    "/models/nobody/history": (404, "not_found"),
    f"/models/nobody/metrics/{DAY}": (404, "not_found"),
    "/nowhere": (404, "not_found"),
}  # fmt: skip
"""By path: the status, and the body or the error's code."""


@pytest.mark.parametrize("path", EMPTY)
def test_a_route_answers_for_an_empty_system(aws: dict[str, str], path: str) -> None:
    """Before the first training the routes answer, and an unknown model, day or route is not found."""
    request = {**event("api_predict"), "rawPath": path, "body": None}
    request["requestContext"]["http"] |= {"method": "GET", "path": path}
    answer = handler("registry", "browse")(request)
    body = json.loads(answer["body"])
    code = body.get("error", {}).get("code")
    assert (answer["statusCode"], code or body) == EMPTY[path]
