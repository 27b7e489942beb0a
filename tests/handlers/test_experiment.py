"""Proves that the function of experiments takes what the command line and the daily machine send it."""

from dataclasses import replace

import pytest

from smallbox.aws.documents import DynamoDocuments
from smallbox.define.frozen import freeze, signature_digest
from smallbox.define.project import load
from smallbox.errors import Conflict, InvalidInput, NotFound, NotReady
from smallbox.registry.routing import first_champion
from smallbox.registry.store import Registry
from tests.fakes.versions import VERSION
from tests.handlers.conftest import handler

MODEL = "late_arrival"


def test_an_experiment_is_asked_for_by_hand_and_looked_at_each_day(aws: dict[str, str]) -> None:
    """An empty lake has no traffic to plan from, and no experiment to show or to stop; the day says that none runs."""
    model, registry = load().model(MODEL), Registry(DynamoDocuments("registry"))
    registry.freeze(MODEL, signature_digest(model), freeze(model))
    for _ in range(2):
        registry.add(replace(VERSION, model=MODEL, signature=signature_digest(model)))
    run = handler("release", "experiment")
    asked = {
        "model": MODEL,
        "versions": [1, 2],
        "outcome": "arrivals.arrival_delay",
        "on_key": model.label.on,
        "within": "1d",
    }
    with pytest.raises(NotReady, match="a plan needs 100"):
        run({**asked, "action": "plan"})
    with pytest.raises(Conflict, match="no champion yet"):
        run({**asked, "action": "start", "who": "ada", "why": "a test"})
    registry.route(MODEL, first_champion(1, 0))
    with pytest.raises(InvalidInput, match="does not rank"):
        run(
            {
                "model": MODEL,
                "kind": "interleaving",
                "versions": [1, 2],
                "action": "start",
                "who": "ada",
                "why": "a test",
            }
        )
    with pytest.raises(NotFound, match="there is no experiment yet"):
        run({"model": MODEL, "action": "show"})
    day = {"model": MODEL, "as_of": "2013-01-29T00:00:00Z", "breaches": {}}
    assert run(day) == {**day, "experiment": {"verdict": "none", "why": "no experiment runs"}}
