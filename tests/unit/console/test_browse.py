"""Proves what each route for reading answers: of an empty system, of one with a canary, and of what is not there."""

from dataclasses import replace
from typing import Any, Final

import pytest

from smallbox.console.browse import BrowseTask
from smallbox.define.project import project_of
from smallbox.errors import NotFound
from smallbox.features.live_needs import refresh_live_views
from smallbox.features.live_views import LiveViewStore
from smallbox.features.online.states import version_of
from smallbox.monitoring.report import LATEST, metrics_partition, report_key
from smallbox.registry.contracts import Contracts
from smallbox.registry.live_sources import LiveSources
from smallbox.registry.routing import first_champion, start_canary
from smallbox.registry.store import Registry
from smallbox.times import DAY, format_moment
from tests.fakes.documents import FakeDocuments
from tests.fakes.small import depot, late_parcel
from tests.fakes.versions import add_version

MODEL = late_parcel.name
OTHER = replace(late_parcel, name="other")
PROJECT = project_of([late_parcel, OTHER])
REPORT: Final[dict[str, Any]] = {
    "model": MODEL, "day": "1970-01-05", "as_of": format_moment(5 * DAY), "breaches": {"data": 1},
    "sentences": ["data volume:parcels is 3"],
    "checks": [
        {"kind": "data", "name": "volume:parcels", "value": 3.0, "limit": 5.0, "breached": True, "rows": 3},
    ],
}  # fmt: skip


def _empty() -> BrowseTask:
    documents = FakeDocuments()
    return BrowseTask(PROJECT, Registry(documents), Contracts(documents), LiveSources(documents), FakeDocuments())


@pytest.fixture
def browser() -> BrowseTask:
    """Two models; one has a champion, a challenger with a third of the requests, and a day that was checked."""
    documents, metrics = FakeDocuments(), FakeDocuments()
    registry, contracts = Registry(documents), Contracts(documents)
    contracts.record(PROJECT, DAY)
    for status in ("champion", "challenger"):
        accepted = {"accepted": True, "why": "ok"}
        add_version(registry, late_parcel, status=status, as_of=format_moment(DAY), verdict=accepted)
    registry.route(MODEL, first_champion(1, DAY))
    registry.record(MODEL, DAY, "champion", {"version": 1})
    routing = registry.routing(MODEL)
    assert routing is not None
    registry.route(MODEL, start_canary(routing, 2, 0.3, 2 * DAY))
    registry.record(MODEL, 2 * DAY, "challenger", {"version": 2})
    for sort in (report_key(REPORT["day"]), LATEST):
        metrics.put(metrics_partition(MODEL), sort, REPORT)
    refresh_live_views(PROJECT, registry, LiveViewStore(documents), DAY)
    return BrowseTask(PROJECT, registry, contracts, LiveSources(documents), metrics)


def _nothing(name: str) -> dict[str, Any]:
    return {
        "name": name, "champion": None, "canary": None, "shadow": None, "last_training": None, "day": None,
        "breaches": [],
        "incidents": [], "sources": [], "is_changed": False, "trained_version": None,
    }  # fmt: skip


def test_an_empty_system_names_its_models_and_claims_nothing() -> None:
    """Before the first training every model of the project is there, without a version, an event or a day."""
    empty = _empty()
    assert empty.models() == {"models": [{"name": MODEL, "routing": None}, {"name": "other", "routing": None}]}
    assert empty.status() == {"models": [_nothing(MODEL), _nothing("other")], "views": []}
    assert empty.contracts() == {"sources": {}, "models": {}, "readers": []}
    assert empty.versions(MODEL) == {"versions": []}
    assert empty.history(MODEL) == {"history": []}
    with pytest.raises(NotFound, match="for day '1970-01-05'"):
        empty.metrics(MODEL, "1970-01-05")


def test_the_models_say_who_serves(browser: BrowseTask) -> None:
    """Champion, challenger and its share; ``since`` reads as a moment; the other model has no routing."""
    routing = {
        "champion": 1, "challenger": 2, "share": 0.3, "since": format_moment(2 * DAY), "revision": 2, "previous": None,
        "shadow": None, "unit": "", "began": format_moment(2 * DAY), "held": "", "experiment": None,
    }  # fmt: skip
    assert browser.models() == {"models": [{"name": MODEL, "routing": routing}, {"name": "other", "routing": None}]}


def test_the_contracts_are_those_that_were_recorded(browser: BrowseTask) -> None:
    """Each source with its version and when it came, and the log of each model; a version is no source or model."""
    found = browser.contracts()
    assert set(found["sources"]) == {"parcels", "deliveries"}
    parcels = found["sources"]["parcels"]
    assert parcels["history"] == [{"version": parcels["version"], "deployed_at": format_moment(DAY)}]
    assert set(found["models"]) == {MODEL, "other"}


def test_the_status_is_of_the_registry_and_the_latest_day(browser: BrowseTask) -> None:
    """Each part comes from its own store: routing, versions and history of the registry, the day of the metrics."""
    first, second = browser.status()["models"]
    assert first == {
        "name": MODEL,
        "champion": {"version": 1, "since": format_moment(DAY)},
        "canary": {"version": 2, "share": 0.3, "since": format_moment(2 * DAY)},
        "shadow": None,
        "last_training": {"as_of": format_moment(DAY), "version": 2, "outcome": "accepted", "why": "ok"},
        "day": "1970-01-05",
        "breaches": ["data volume:parcels is 3"],
        "incidents": [],
        "sources": [{"name": "parcels", "records": 3, "age_hours": None, "most_hours": None, "breached": True}],
        "is_changed": False,
        "trained_version": 2,
    }
    assert second == _nothing("other")


def test_the_status_says_which_views_are_kept_and_for_whom(browser: BrowseTask) -> None:
    """The one view of both models and both versions is there once, and is not filled yet."""
    assert browser.status()["views"] == [
        {
            "view": "depot",
            "version": version_of(depot),
            "source": "deliveries",
            "state": "filling",
            "needed_by": "definition, late_parcel version 1, late_parcel version 2",
        }
    ]


def test_versions_and_history_are_of_one_model_oldest_first(browser: BrowseTask) -> None:
    """Whole documents of the versions, and the lines of the history as they were recorded."""
    versions = browser.versions(MODEL)["versions"]
    assert [(v["number"], v["status"], v["verdict"]["why"]) for v in versions] == [
        (1, "champion", "ok"), (2, "challenger", "ok"),
    ]  # fmt: skip
    assert browser.history(MODEL) == {
        "history": [
            {"at": format_moment(DAY), "event": "champion", "version": 1},
            {"at": format_moment(2 * DAY), "event": "challenger", "version": 2},
        ]
    }
    assert (browser.versions("other"), browser.history("other")) == ({"versions": []}, {"history": []})


def test_the_metrics_are_the_report_of_the_day(browser: BrowseTask) -> None:
    """As it was written; a day that nobody checked, of this or another model, is not found and names both."""
    assert browser.metrics(MODEL, "1970-01-05") == REPORT
    for model, day in ((MODEL, "1970-01-06"), ("other", "1970-01-05"), (MODEL, "yesterday")):
        with pytest.raises(NotFound, match="there is no monitoring report") as missing:
            browser.metrics(model, day)
        assert missing.value.details == {"model": model, "day": day}


def test_a_model_that_the_project_does_not_have_is_not_found(browser: BrowseTask) -> None:
    """Each of the three routes that name a model refuses an unknown one."""
    for ask in (browser.versions, browser.history, lambda name: browser.metrics(name, "1970-01-05")):
        with pytest.raises(NotFound, match="nobody"):
            ask("nobody")


def test_a_definition_that_the_champion_was_not_trained_with_is_seen(browser: BrowseTask) -> None:
    """So a person knows that a training run would make another model."""
    edited = replace(late_parcel, inputs=("weight",))
    changed = BrowseTask(
        project_of([edited, OTHER]), browser._registry, browser._contracts, browser._live, browser._metrics
    )
    assert [model["is_changed"] for model in changed.status()["models"]] == [True, False]
    assert changed.status()["models"][0]["trained_version"] is None, "so it says: train"


def test_the_release_of_a_version_is_told(browser: BrowseTask) -> None:
    """The running one when no version is named; one without looks or days has empty tables; a word is no version."""
    newest = browser.release(MODEL, "newest")
    assert (newest["version"], newest["running"]["rung"], newest["running"]["share"]) == (2, "canary", 0.3)
    assert [event["event"] for event in newest["events"]] == ["challenger"]
    assert (newest["looks"], newest["days"], newest["slices"]) == ([], [], [])
    assert browser.release(MODEL, "1")["running"] is None
    for wrong in ("9", "latest"):
        with pytest.raises(NotFound):
            browser.release(MODEL, wrong)


def test_before_the_first_release_there_is_none_to_tell() -> None:
    """A model without a version says so, and does not fail."""
    with pytest.raises(NotFound, match="no version of late_parcel has been released yet"):
        _empty().release(MODEL, "newest")
