"""Proves on the deployed stack that a model is changed without a minute of downtime.

A champion serves and records flow. The definition gets a window feature, another window under an old name, loses a
feature, and gets another on-demand function and an optional field. The tests are one story and run in their order.
"""

from typing import Any

import pyarrow.compute as pc
import pytest

from smallbox.cli.demo import MODEL
from smallbox.cli.demo.change import DefinitionChange
from smallbox.cli.replay.evidence import lake_of, signatures_of
from smallbox.lake.predictions import PredictionLog, of_signature
from smallbox.monitoring.skew import skew_of
from smallbox.ports import Between
from smallbox.times import DAY, Micros, format_moment
from tests.deployed.conftest import START, Deployed

pytestmark = pytest.mark.deployed


@pytest.fixture(scope="module")
def now(deployed: Deployed) -> Micros:
    """The end of the other stories, or weeks after the champion's training when this one is run alone."""
    deployed.send_until(max(deployed.known_until, START + 19 * DAY))
    return deployed.known_until


@pytest.fixture(scope="module")
def change(deployed: Deployed, now: Micros) -> DefinitionChange:
    """The change, with requests of the real flights."""
    return DefinitionChange(deployed.system, deployed.flights, print, model=MODEL, at=now)


def test_the_champion_answers_while_the_definition_is_changed(
    deployed: Deployed, change: DefinitionChange, now: Micros
) -> None:
    """Deployment, backfill and training pass without a failed answer, a fallback, or an answer of another version."""
    change.deploy_and_train(now)
    results = change.results
    assert results.failures == []
    assert {phase: set(counts) for phase, counts in results.answered.items()} == {
        "deploy": {results.old},
        "train": {results.old},
    }
    assert results.asked > 20
    views = {view["view"]: view["state"] for view in deployed.system.request("GET", "/status")["views"]}
    assert set(views.values()) == {"ready"}


def test_the_gate_compared_both_on_the_same_requests(deployed: Deployed, change: DefinitionChange) -> None:
    """The new version has other inputs, and was compared with the champion nevertheless."""
    old, new = (_version(deployed, number) for number in (change.results.old, change.results.new))
    assert new["signature"] != old["signature"]
    assert set(new["columns"]) ^ set(old["columns"]) == {"carrier_late_rate_24h", "origin_departure_delay_std_3h"}
    assert new["parent"] == old["number"]
    assert "champion" in {check["name"] for check in new["verdict"]["checks"]}


def _version(deployed: Deployed, number: int) -> Any:
    versions = deployed.system.request("GET", f"/models/{MODEL}/versions")["versions"]
    return next(version for version in versions if version["number"] == number)


def test_both_arms_answer_with_inputs_of_their_own(deployed: Deployed, change: DefinitionChange, now: Micros) -> None:
    """In a canary each version is served and logged by its own definition, and no value of either is skewed."""
    by_hand = {"model": MODEL, "who": "a test", "why": "by hand", "as_of": format_moment(now)}
    models = deployed.system.request("GET", "/models")["models"]
    shadow = next(one["routing"]["shadow"] for one in models if one["name"] == MODEL)
    if shadow not in {None, change.results.new}:  # the days before may have begun a release
        deployed.system.release({**by_hand, "action": "roll-back", "version": shadow})
    deployed.system.release({**by_hand, "action": "start", "rung": "canary", "version": change.results.new})
    replay = deployed.live(now, 1)
    assert replay.counts.rejected == 0
    assert _skew_since(deployed, now) == {change.results.old: 0, change.results.new: 0}


def test_the_new_version_takes_over_and_is_rolled_back(deployed: Deployed, change: DefinitionChange) -> None:
    """The old version answers right after one write, with features that are still exact."""
    now = deployed.known_until
    change.take_over_and_roll_back(now)
    results = change.results
    assert results.failures == []
    assert set(results.answered["served by the new version"]) == {results.new}
    assert results.seconds_back is not None, "it answered while the probe was still asking"
    assert deployed.system.champion(MODEL) == results.old
    assert set(deployed.arms(now)) == {str(results.old)}
    deployed.system.drain()
    assert _skew_since(deployed, now) == {results.old: 0, results.new: 0}
    assert deployed.system.dead_letters() == 0


def _skew_since(deployed: Deployed, since: Micros) -> dict[int, int]:
    """By version the number of served values that differ from their recomputation by the version's own definition."""
    lake, signatures = lake_of(deployed.system), signatures_of(deployed.system)
    rows = PredictionLog(lake).read(MODEL, Between("time", since, since + 2 * DAY))
    rows = rows.filter(pc.equal(rows["channel"], "online"))
    found = {}
    for number in pc.unique(rows["version"]).to_pylist():
        signature = signatures.of(MODEL, number)
        own = of_signature(rows.filter(pc.equal(rows["version"], number)), signature)
        skew = skew_of(signature, lake, own)
        assert skew.values > 0
        found[number] = skew.unequal
    return found
