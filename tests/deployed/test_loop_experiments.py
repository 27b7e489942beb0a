"""Proves that an experiment of two versions runs on the deployed system, under the grants of its functions."""

from typing import Any

import pytest

from smallbox.cli.demo import MODEL
from smallbox.cli.system import System
from smallbox.errors import SmallboxError, Unavailable
from smallbox.times import DAY, format_moment
from tests.deployed.conftest import START, Deployed

pytestmark = pytest.mark.deployed


def _asked(system: System, action: str, **more: Any) -> Any:
    document = {"model": MODEL, "action": action, "who": "a test", "why": "to measure delays", **more}
    return system.invoke("ExperimentFunction", document, f"experiment {action}")


def _versions(system: System) -> list[int]:
    routing = next(one["routing"] for one in system.request("GET", "/models")["models"] if one["name"] == MODEL)
    assert routing["previous"] is not None, "the tests before have promoted a version"
    return [routing["champion"], routing["previous"]]


def test_an_experiment_is_planned_started_seen_and_stopped(deployed: Deployed) -> None:
    """Both versions answer half of the flights each, the day counts them, and the stop gives all to the champion."""
    system, now = deployed.operator, deployed.known_until
    versions = _versions(system)
    measured: dict[str, Any] = {
        "smallest_effect": 0.3,
        "versions": versions,
        "outcome": "arrivals.late",
        "on_key": "flight_id",
        "within": "1d",
    }
    planned = _asked(system, "plan", **measured, as_of=format_moment(now))
    assert planned["outcomes"][0]["units"] > 0
    started = _asked(system, "start", **measured, name="delays", max_days=90, as_of=format_moment(now))
    assert started["state"] == "running"
    days = deployed.live(now, 2).counts.days
    assert {day["experiment"]["experiment"] for day in days} == {"delays"}
    assert set(deployed.arms(now + 2 * DAY)) == {str(version) for version in versions}
    shown = _asked(system, "show", as_of=format_moment(now + 2 * DAY))
    units = {one["version"]: one["assigned"] for one in shown["result"]["versions"]}
    assert set(units) == set(versions)
    assert min(units.values()) > 0.4 * sum(units.values())
    assert min(shown["result"]["sample_ratio"].values()) > 0.001
    stopped = _asked(system, "stop", as_of=format_moment(now + 2 * DAY))
    assert stopped["state"] == "stopped"
    assert set(deployed.arms(now + 2 * DAY)) == {str(versions[0])}


def test_a_version_is_judged_off_policy_only_where_lists_are_shuffled(deployed: Deployed) -> None:
    """An operator may ask, and this model, which ranks nothing, says what to declare."""
    document = {"model": MODEL, "version": 1, "action": "off-policy"}
    with pytest.raises(Unavailable, match="shuffles no list"):
        deployed.operator.invoke("ShadowFunction", document, "the off-policy judgement")


def test_a_ranking_is_asked_for_where_the_model_ranks(deployed: Deployed) -> None:
    """The route answers an operator, and says of another model that it does not rank."""
    (line,) = deployed.flights.between(START, START + DAY)[:1]
    with pytest.raises(SmallboxError, match="does not rank"):
        deployed.operator.request("POST", f"/models/{MODEL}/rank", f'{{"instances": [{line}]}}')
