"""Proves what a person may change by hand: any verdict, one at a time, with a name and a reason in the history."""

from dataclasses import replace
from typing import Any

import pytest

from smallbox.define.project import project_of
from smallbox.errors import Conflict, InvalidInput, NotFound, SmallboxError
from smallbox.registry.store import Registry
from smallbox.release.by_hand import ByHandTask
from smallbox.times import DAY, format_moment
from tests.fakes.documents import FakeDocuments
from tests.fakes.small import late_parcel
from tests.fakes.versions import VERSION
from tests.unit.release.canaries import MODEL, registry_of

OTHER_COLUMNS = replace(VERSION, columns=["gone"])


def _do(registry: Registry, action: str, version: int, **more: Any) -> Any:
    document = {"model": MODEL, "action": action, "version": version, "who": "ada", "why": "I looked", **more}
    routing = ByHandTask(project_of([late_parcel]), registry).run(document, 9 * DAY)["routing"]
    return routing["champion"], routing["challenger"]


@pytest.mark.parametrize("status", ["registered", "refused", "undecided", "rolled_back", "retired"])
def test_any_version_starts_is_promoted_or_rolled_back(status: Any) -> None:
    """A verdict of the gate or of a canary can be overruled, and the history keeps who did it and why."""
    registry = registry_of(VERSION, replace(VERSION, status=status))
    assert _do(registry, "start", 2) == (1, 2)
    assert _do(registry, "roll-back", 2, as_of=format_moment(8 * DAY)) == (1, None)
    assert _do(registry, "promote", 2) == (2, None)
    assert _do(registry, "promote", 1) == (1, None), "back to the champion that was"
    assert [version.status for version in registry.versions(MODEL)] == ["champion", "retired"]
    by_hand = [event for event in registry.history(MODEL) if event.get("who") == "ada"]
    assert {event["why"] for event in by_hand} == {"I looked"}
    assert sorted(event["event"] for event in by_hand) == ["challenger", "champion", "champion", "roll_back"]


def test_a_challenger_is_promoted_before_its_time() -> None:
    """The canary ends, and the champion that was is retired."""
    registry = registry_of(VERSION, VERSION)
    _do(registry, "start", 2)
    assert _do(registry, "promote", 2) == (2, None)
    assert [version.status for version in registry.versions(MODEL)] == ["retired", "champion"]


def test_a_first_champion_is_made_by_hand() -> None:
    """A model whose gate has accepted nothing can still be made to serve."""
    registry = Registry(FakeDocuments())
    registry.add(replace(VERSION, status="undecided"))
    assert _do(registry, "promote", 1) == (1, None)


@pytest.mark.parametrize(
    ("action", "version", "more", "error", "says"),
    [
        ("start", 1, {}, Conflict, "the champion already"),
        ("start", 3, {}, Conflict, "version 2 is in a canary"),
        ("start", 4, {}, Conflict, "no longer has"),
        ("promote", 3, {}, Conflict, "roll it back before 3"),
        ("roll-back", 1, {}, Conflict, "promote the version that it replaced"),
        ("promote", 9, {}, NotFound, "no version 9"),
        ("delete", 2, {}, InvalidInput, "start, promote, roll-back"),
        ("promote", 2, {"why": " "}, InvalidInput, "who changes the release and why"),
        ("promote", 2, {"as_of": format_moment(10 * DAY)}, InvalidInput, "in the future"),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(
    action: str, version: int, more: dict[str, Any], error: type[SmallboxError], says: str
) -> None:
    """The sentence says what stands in the way; routing, statuses and history stay as they were."""
    registry = registry_of(VERSION, VERSION, VERSION, OTHER_COLUMNS)
    _do(registry, "start", 2)
    before = (registry.routing(MODEL), registry.versions(MODEL), registry.history(MODEL))
    with pytest.raises(error, match=says):
        _do(registry, action, version, **more)
    assert (registry.routing(MODEL), registry.versions(MODEL), registry.history(MODEL)) == before
