"""Proves that a status says who serves since when, how the last training ended, and what the latest day showed."""

from dataclasses import replace
from typing import Any

from smallbox.console.status import status_of
from smallbox.define.release_rules import Canary
from smallbox.registry.routing import Routing, end_release, first_champion, promote, start_canary
from smallbox.registry.store import Registry
from smallbox.release.routing_changes import Changes
from smallbox.times import DAY, format_moment
from tests.fakes.documents import FakeDocuments
from tests.fakes.small import late_parcel
from tests.fakes.versions import VERSION, add_version

ACCEPTED = {"accepted": True, "why": "AUC is 0.7", "checks": []}
REFUSED = {"accepted": False, "why": "AUC is 0.5", "checks": []}
FIRST = replace(VERSION, number=1, status="champion", as_of=format_moment(DAY), verdict=ACCEPTED)
SECOND = replace(FIRST, number=2, as_of=format_moment(5 * DAY), verdict=REFUSED)


def _event(at: int, event: str, **details: Any) -> dict[str, Any]:
    return {"at": format_moment(at), "event": event, **details}


def test_before_anything_happened_nothing_is_claimed() -> None:
    """A model that was never trained has a status too."""
    assert status_of("m", None, [], [], None) == {
        "name": "m", "champion": None, "canary": None, "shadow": None, "last_training": None, "day": None,
        "breaches": [],
        "sources": [],
    }  # fmt: skip


def test_a_champion_serves_since_it_became_one() -> None:
    """Neither the start of a canary nor its end changes since when the champion serves; a promotion does."""
    routing = start_canary(first_champion(1, DAY), 2, 0.3, 5 * DAY)
    history = [_event(DAY, "champion", version=1), _event(5 * DAY, "challenger", version=2)]
    standing = status_of("m", routing, [], history, None)
    assert standing["champion"] == {"version": 1, "since": format_moment(DAY)}
    assert standing["canary"] == {"version": 2, "share": 0.3, "since": format_moment(5 * DAY)}

    rolled_back = status_of("m", end_release(routing, 6 * DAY), [], history, None)
    assert (rolled_back["champion"], rolled_back["canary"]) == (standing["champion"], None)

    history.append(_event(7 * DAY, "promote", version=2))
    promoted = promote(routing, 7 * DAY)
    assert status_of("m", promoted, [], history, None)["champion"]["since"] == format_moment(7 * DAY)
    assert status_of("m", Routing(3, since=9 * DAY), [], history, None)["champion"]["since"] == format_moment(9 * DAY)


def test_a_champion_that_took_over_again_serves_since_then() -> None:
    """Neither since it was champion for the first time, nor since a canary beside it began."""
    registry, name = Registry(FakeDocuments()), late_parcel.name
    for _ in range(3):
        add_version(registry, late_parcel)

    def since() -> str:
        """Since when the champion serves, as a person is told."""
        standing = status_of(name, registry.routing(name), registry.versions(name), registry.history(name), None)
        found: str = standing["champion"]["since"]
        return found

    Changes(registry, name, DAY).make_champion(None, 1, {})
    Changes(registry, name, 2 * DAY).make_champion(_routing(registry), 2, {})
    assert since() == format_moment(2 * DAY)
    Changes(registry, name, 3 * DAY).go_back(_routing(registry), {})
    assert since() == format_moment(3 * DAY)
    Changes(registry, name, 4 * DAY).start(_routing(registry), 3, Canary(), {})
    assert since() == format_moment(3 * DAY)


def _routing(registry: Registry) -> Routing:
    routing = registry.routing(late_parcel.name)
    assert routing is not None
    return routing


def test_the_last_training_is_the_last_that_ended() -> None:
    """Refused, undecided and failed ones count, each with its reason."""
    last = status_of("m", None, [FIRST, SECOND], [], None)["last_training"]
    assert last == {"as_of": SECOND.as_of, "version": 2, "outcome": "refused", "why": "AUC is 0.5"}
    undecided = replace(SECOND, verdict={**REFUSED, "outcome": "cannot_tell"})
    assert status_of("m", None, [FIRST, undecided], [], None)["last_training"]["outcome"] == "cannot_tell"
    failed = [_event(9 * DAY, "training_failed", why="no request has a label")]
    assert status_of("m", None, [FIRST, SECOND], failed, None)["last_training"] == {
        "as_of": format_moment(9 * DAY), "version": None, "outcome": "failed", "why": "no request has a label",
    }  # fmt: skip
    assert status_of("m", None, [SECOND], [_event(DAY, "training_failed")], None)["last_training"]["version"] == 2


def test_sources_are_those_of_the_latest_day() -> None:
    """Each with its records, and with its age where it declares a freshness."""
    checks = [
        {"kind": "data", "name": "quarantined:weather", "value": 0.0, "limit": 0.05, "breached": False, "rows": 9},
        {"kind": "data", "name": "volume:weather", "value": 9.0, "limit": 5.0, "breached": False, "rows": 9},
        {"kind": "data", "name": "freshness_hours:weather", "value": 30.0, "limit": 2.0, "breached": True, "rows": 9},
        {"kind": "data", "name": "volume:planes", "value": 0.0, "limit": 0.0, "breached": False, "rows": 0},
        {"kind": "features", "name": "psi:weather", "value": 0.1, "limit": 0.25, "breached": False, "rows": 9},
    ]
    report = {"day": "2013-03-01", "sentences": ["weather is old"], "checks": checks}
    standing = status_of("m", None, [], [], report)
    assert (standing["day"], standing["breaches"]) == ("2013-03-01", ["weather is old"])
    assert standing["sources"] == [
        {"name": "weather", "records": 9, "age_hours": 30.0, "most_hours": 2.0, "breached": True},
        {"name": "planes", "records": 0, "age_hours": None, "most_hours": None, "breached": False},
    ]
