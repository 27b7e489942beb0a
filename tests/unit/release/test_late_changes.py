"""Proves that a change which was decided on an old routing neither undoes nor dresses up what came first."""

from dataclasses import replace
from typing import Any

import pytest

from smallbox.define.project import project_of
from smallbox.define.release_rules import Canary, Release
from smallbox.errors import Conflict, InvalidInput
from smallbox.registry.live_versions import waiting
from smallbox.release.by_hand import LONGEST_WHY, ByHandTask
from smallbox.release.routing_changes import Changes
from smallbox.times import DAY
from tests.fakes.small import late_parcel
from tests.fakes.versions import VERSION, add_version
from tests.unit.release.canaries import MODEL, Shelf, registry_of, reviewed, ruled


@pytest.mark.parametrize("change", ["start", "promote", "shadow"])
def test_what_was_rolled_back_meanwhile_does_not_wait_for_a_release_again(change: str) -> None:
    """The review reads labels for seconds; the guard ends the release in these, and the review's change is refused."""
    registry = registry_of(VERSION, VERSION)
    routing = registry.routing(MODEL)
    assert routing is not None
    late = Changes(registry, MODEL, 2 * DAY)
    if change != "shadow":
        Changes(registry, MODEL, DAY).shadow(routing, 2, {})
        routing = registry.routing(MODEL)
        assert routing is not None
        registry.give_up(2, DAY)
    else:
        registry.set_status(MODEL, 2, "rolled_back")
        registry.route(MODEL, replace(routing, since=DAY))
    before = registry.history(MODEL)
    changes: dict[str, Any] = {
        "start": lambda: late.start(routing, 2, Canary(), {}),
        "promote": lambda: late.promote(routing, {}),
        "shadow": lambda: late.shadow(routing, 2, {}),
    }
    with pytest.raises(Conflict, match="another change of the routing of late_parcel came first"):
        changes[change]()
    assert registry.statuses == ["champion", "rolled_back"]
    assert registry.history(MODEL) == before
    assert waiting(registry, MODEL, registry.routing(MODEL)) is None


def _by_hand(registry: Shelf, action: str, why: str, release: Release) -> None:
    task = ByHandTask(project_of([replace(late_parcel, release=release)]), registry, registry.live)
    task.run({"model": MODEL, "action": action, "version": 2, "who": "ada", "why": why}, 9 * DAY)


@pytest.mark.parametrize("release", [Release(shadow=None), Release(shadow=None, canary=None)])
def test_the_reason_of_a_person_is_kept_where_a_rung_is_left_out(release: Release) -> None:
    """The history has what ada wrote, and not a sentence of the ladder."""
    registry = registry_of(VERSION, VERSION)
    _by_hand(registry, "start", "I looked", release)
    (event,) = [one for one in registry.history(MODEL) if one.get("who") == "ada"]
    assert event["why"] == "I looked"
    assert "shadow" in event["left_out"]


def test_a_very_long_reason_is_refused() -> None:
    """That of a hold is in the routing, which every process of the predict function reads each second."""
    registry = registry_of(VERSION, VERSION)
    _by_hand(registry, "start", "w" * LONGEST_WHY, Release())
    with pytest.raises(InvalidInput, match="why has 1001 characters; at most 1000 are kept"):
        _by_hand(registry, "hold", "w" * (LONGEST_WHY + 1), Release())
    assert registry.routing(MODEL).held == ""  # type: ignore[union-attr]


def test_a_shadow_beside_a_champion_of_another_label_ends() -> None:
    """A person promoted a version of another label while the shadow ran: their losses answer two questions."""
    registry = registry_of(VERSION, VERSION)
    _by_hand(registry, "start", "a try", Release())
    other = ruled(Release(), within="12h")
    add_version(registry, other)
    registry.fill(other)
    ByHandTask(project_of([other]), registry, registry.live).run(
        {"model": MODEL, "action": "promote", "version": 3, "who": "ada", "why": "now"}, 9 * DAY
    )
    found = reviewed(registry, 60 * DAY, other)
    assert found["action"] == "cannot_tell"
    assert "predicts another label than version 3" in found["why"]
