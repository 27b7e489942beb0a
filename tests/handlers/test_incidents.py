"""Proves that people read, acknowledge and close incidents through the handlers."""

import json
from typing import Any

from smallbox.aws.documents import DynamoDocuments
from smallbox.monitoring.findings import Finding
from smallbox.monitoring.incidents import IncidentBook
from smallbox.times import DAY, day_of
from tests.handlers.conftest import Handler, event, handler

MODEL = "late_arrival"
LOSS = Finding("loss", "log loss", "incident", "log loss is 0.9", "retrain")


def _get(browse: Handler, path: str) -> Any:
    request = {**event("api_predict"), "rawPath": path, "body": None}
    request["requestContext"]["http"] |= {"method": "GET", "path": path}
    return json.loads(browse(request)["body"])


def test_an_incident_is_read_acknowledged_and_closed(aws: dict[str, str]) -> None:
    """The list and the status show it until it is closed; its story says who closed it and why."""
    (opened,) = IncidentBook(DynamoDocuments("metrics")).record(MODEL, [LOSS], day_of(DAY), 2 * DAY)
    browse, change = handler("registry", "browse"), handler("monitoring", "resolve")
    (found,) = _get(browse, f"/models/{MODEL}/incidents")["incidents"]
    assert (found["id"], found["sentence"]) == (opened.id, "log loss is 0.9; to do: retrain")
    for action, states in (("acknowledge", ["acknowledged"]), ("close", [])):
        changed = change({"incident": opened.id, "action": action, "by": "ada", "why": f"I {action} it"})
        assert json.dumps(changed)
        models = {model["name"]: model for model in _get(browse, "/status")["models"]}
        assert [one["state"] for one in models[MODEL]["incidents"]] == states
    (closed,) = _get(browse, f"/models/{MODEL}/incidents")["incidents"]
    assert [entry["sentence"] for entry in closed["story"][1:]] == ["ada: I acknowledge it", "ada: I close it"]
