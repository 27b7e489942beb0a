"""Proves what a person may change by hand: any verdict, one at a time, with a name and a reason in the history."""

from dataclasses import replace
from typing import Any

import pytest

from smallbox.define import mean
from smallbox.define import number as number_field
from smallbox.define.model import Model
from smallbox.define.project import project_of
from smallbox.errors import Conflict, InvalidInput, NotFound, NotReady, SmallboxError, Unavailable
from smallbox.registry.live_versions import live_versions
from smallbox.release.by_hand import ByHandTask
from smallbox.times import DAY, format_moment
from tests.fakes.documents import FakeDocuments
from tests.fakes.small import depot, late_parcel, parcels
from tests.fakes.versions import VERSION, add_version
from tests.unit.release.canaries import MODEL, Crashing, Shelf, registry_of, reviewed

WIDER = replace(late_parcel, views=(replace(depot, features={"depot_delay_9h": mean("delay", "9h")}),))
OTHER_LABEL = replace(late_parcel, label=replace(late_parcel.label, within="12h"))


def _do(registry: Shelf, action: str, version: int | None = None, *, deployed: Model = late_parcel, **more: Any) -> Any:
    document = {"model": MODEL, "action": action, "version": version, "who": "ada", "why": "I looked", **more}
    task = ByHandTask(project_of([deployed]), registry, registry.live)
    routing = task.run(document, 9 * DAY)["routing"]
    return routing["champion"], routing["challenger"]


@pytest.mark.parametrize("status", ["registered", "refused", "undecided", "rolled_back", "retired"])
def test_any_version_starts_is_promoted_or_rolled_back(status: Any) -> None:
    """A verdict of the gate or of a canary can be overruled, and the history keeps who did it and why."""
    registry = registry_of(VERSION, replace(VERSION, status=status))
    assert _do(registry, "start", 2, rung="canary") == (1, 2)
    assert _do(registry, "roll-back", 2, as_of=format_moment(8 * DAY)) == (1, None)
    assert _do(registry, "promote", 2) == (2, None)
    assert _do(registry, "promote", 1) == (1, None), "back to the champion that was"
    assert registry.statuses == ["champion", "retired"]
    by_hand = [event for event in registry.history(MODEL) if event.get("who") == "ada"]
    assert {event["why"] for event in by_hand} == {"I looked"}
    assert sorted(event["event"] for event in by_hand) == ["challenger", "champion", "champion", "roll_back"]


def test_a_challenger_is_promoted_before_its_time() -> None:
    """The canary ends, and the champion that was is retired."""
    registry = registry_of(VERSION, VERSION)
    _do(registry, "start", 2, rung="canary")
    assert _do(registry, "promote", 2) == (2, None)
    assert registry.statuses == ["retired", "champion"]


def test_a_release_begins_on_the_first_rung_and_is_taken_up() -> None:
    """A start begins the shadow; another one takes its version up to the canary, before its verdict; then it serves."""
    registry = registry_of(VERSION, VERSION)
    assert _do(registry, "start", 2) == (1, None)
    assert registry.statuses == ["champion", "shadow"]
    assert _do(registry, "start", 2) == (1, 2)
    assert _do(registry, "promote") == (2, None)
    assert registry.events == ["champion", "challenger", "promote", "shadow"], "all at one moment"


def test_a_version_in_a_shadow_is_promoted_or_rolled_back() -> None:
    """A person need not wait for its verdict; to end the shadow its version is named."""
    for action, version, serving, statuses in (
        ("promote", None, (2, None), ["retired", "champion"]),
        ("roll-back", 2, (1, None), ["champion", "rolled_back"]),
    ):
        registry = registry_of(VERSION, VERSION)
        _do(registry, "start", 2)
        assert _do(registry, action, version) == serving
        assert registry.statuses == statuses


def test_roll_back_beside_a_shadow_is_of_the_champion() -> None:
    """Who types it at two in the morning wants the champion gone; the shadow, which answers nobody, goes on."""
    registry = registry_of(VERSION, VERSION, VERSION)
    _do(registry, "promote", 2)
    _do(registry, "start", 3)
    assert _do(registry, "roll-back") == (1, None)
    routing = registry.routing(MODEL)
    assert routing is not None
    assert routing.shadow == 3


def test_a_held_release_stays_until_it_is_let_go() -> None:
    """The review tells who holds it and why, day after day; then it goes on where it was."""
    registry = registry_of(VERSION, VERSION)
    _do(registry, "start", 2)
    _do(registry, "hold")
    for day in (10, 40):
        found = reviewed(registry, day * DAY)
        assert (found["action"], found["why"]) == ("wait", "a person holds the release: I looked")
    _do(registry, "resume")
    assert reviewed(registry, 40 * DAY)["action"] == "cannot_tell"
    with pytest.raises(InvalidInput, match="no release runs; name the version to hold"):
        _do(registry, "hold")


def test_a_first_champion_is_made_by_hand() -> None:
    """A model whose gate has accepted nothing can still be made to serve."""
    registry = Shelf()
    add_version(registry, late_parcel, status="undecided")
    registry.fill()
    assert _do(registry, "promote", 1) == (1, None)


@pytest.mark.parametrize(
    ("action", "version", "more", "error", "says"),
    [
        ("start", 1, {}, Conflict, "the champion already"),
        ("start", 3, {}, Conflict, "version 2 is in a canary"),
        ("promote", 3, {}, Conflict, "roll it back before 3"),
        ("roll-back", 1, {}, Conflict, "version 2 is in a canary; end it"),
        ("roll-back", 3, {}, Conflict, "version 3 answers no request"),
        ("start", None, {}, InvalidInput, "name the version to start"),
        ("start", 3, {"rung": "gate"}, InvalidInput, "rung must be one of shadow, canary"),
        ("hold", 3, {}, Conflict, "version 3 is in no release"),
        ("promote", 9, {}, NotFound, "no version 9"),
        ("delete", 2, {}, InvalidInput, "start, promote, roll-back"),
        ("promote", 2, {"why": " "}, InvalidInput, "who changes the release and why"),
        ("promote", 2, {"as_of": format_moment(10 * DAY)}, InvalidInput, "in the future"),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(
    action: str, version: int | None, more: dict[str, Any], error: type[SmallboxError], says: str
) -> None:
    """The sentence says what stands in the way; routing, statuses and history stay as they were."""
    registry = registry_of(VERSION, VERSION, VERSION)
    _do(registry, "start", 2, rung="canary")
    before = (registry.routing(MODEL), registry.versions(MODEL), registry.history(MODEL))
    with pytest.raises(error, match=says):
        _do(registry, action, version, **more)
    assert (registry.routing(MODEL), registry.versions(MODEL), registry.history(MODEL)) == before


def test_roll_back_returns_to_the_champion_before() -> None:
    """Without a version number and by one write of the routing; statuses and history say what happened."""
    registry = registry_of(VERSION, VERSION)
    _do(registry, "promote", 2)
    before = registry.routing(MODEL)
    assert before is not None
    assert _do(registry, "roll-back") == (1, None)
    after = registry.routing(MODEL)
    assert after == replace(before, champion=1, previous=2, since=9 * DAY, revision=before.revision + 1)
    assert registry.statuses == ["champion", "rolled_back"]
    told = [(event["event"], event["version"], event["who"]) for event in registry.history(MODEL) if "who" in event]
    assert told == [("champion", 1, "ada"), ("champion", 2, "ada"), ("roll_back", 2, "ada")]


def test_roll_back_without_a_version_ends_the_canary_first() -> None:
    """While one runs the champion stays, whoever was champion before."""
    registry = registry_of(VERSION, VERSION, VERSION)
    _do(registry, "promote", 2)
    _do(registry, "start", 3, rung="canary")
    assert _do(registry, "roll-back") == (2, None)
    assert registry.statuses == ["retired", "champion", "rolled_back"]
    assert _do(registry, "roll-back") == (1, None)


def test_without_a_champion_before_there_is_no_roll_back() -> None:
    """The first champion has nobody to go back to, and before it there is no champion at all."""
    registry = registry_of(VERSION)
    with pytest.raises(Conflict, match="there is no champion before version 1 to go back to"):
        _do(registry, "roll-back")
    assert (registry.serving, registry.statuses, registry.events) == ((1, None), ["champion"], ["champion"])
    with pytest.raises(InvalidInput, match="name the version to roll-back"):
        _do(Shelf(), "roll-back")


def test_a_roll_back_after_the_definition_changed_needs_no_backfill() -> None:
    """The views of the champion before are kept and filled, though no definition has them any more."""
    registry = registry_of(VERSION)
    add_version(registry, WIDER)
    registry.fill(WIDER)
    _do(registry, "promote", 2, deployed=WIDER)
    assert {one.needed_by for one in registry.live.read().by_id.values()} == {
        (f"{MODEL} version 1",), ("definition", f"{MODEL} version 2"),
    }  # fmt: skip
    assert _do(registry, "roll-back", deployed=WIDER) == (1, None)


@pytest.mark.parametrize("action", ["start", "promote"])
def test_a_version_whose_views_are_not_filled_does_not_answer(action: str) -> None:
    """Until the backfill has ended it is refused, with the name of the view, and nothing changes."""
    registry = registry_of(VERSION)
    add_version(registry, WIDER)
    before = (registry.serving, registry.statuses, registry.events)
    with pytest.raises(NotReady, match="the history of depot is not computed yet"):
        _do(registry, action, 2, deployed=WIDER)
    assert (registry.serving, registry.statuses, registry.events) == before
    registry.fill(WIDER)
    assert 2 in _do(registry, action, 2, deployed=WIDER, **({"rung": "canary"} if action == "start" else {}))


@pytest.mark.parametrize("action", ["start", "promote"])
def test_a_version_whose_views_are_kept_no_longer_does_not_answer(action: str) -> None:
    """No backfill would bring back what neither the definition nor a live version needs: the sentence says so."""
    registry = registry_of(VERSION)
    add_version(registry, WIDER, status="undecided")
    with pytest.raises(NotReady, match="the states of depot are not kept in the form that version 2 reads"):
        _do(registry, action, 2)
    assert registry.serving == (1, None)


def test_a_version_of_another_label_is_promoted_and_never_in_a_canary() -> None:
    """A canary would compare the answers to two questions, so a person decides at once."""
    registry = registry_of(VERSION)
    add_version(registry, OTHER_LABEL)
    with pytest.raises(Conflict, match="predicts another label than version 1, so no shadow can compare them"):
        _do(registry, "start", 2, deployed=OTHER_LABEL)
    assert _do(registry, "promote", 2, deployed=OTHER_LABEL) == (2, None)
    assert _do(registry, "roll-back", deployed=OTHER_LABEL) == (1, None)


def test_a_roll_back_that_crashed_is_made_good_by_the_next() -> None:
    """Statuses and history were written before the routing: the same change on the next try, recorded once."""
    documents = FakeDocuments()
    registry = Shelf(documents)
    for _ in range(2):
        add_version(registry, late_parcel)
    registry.fill()
    for version in (1, 2):
        _do(registry, "promote", version)
    crashing = Crashing(documents)
    with pytest.raises(Unavailable):
        _do(crashing, "roll-back")
    assert registry.serving == (2, None)
    assert _do(crashing, "roll-back") == (1, None)
    assert (registry.statuses, registry.events.count("roll_back")) == (["champion", "rolled_back"], 1)


def test_a_second_roll_back_does_not_undo_the_first() -> None:
    """A retry after a lost answer must not bring the bad version back; a person who wants it names it."""
    registry = registry_of(VERSION, VERSION)
    _do(registry, "promote", 2)
    _do(registry, "roll-back")
    with pytest.raises(Conflict, match="version 2 was rolled back itself; to make it champion again, promote it"):
        _do(registry, "roll-back")
    assert registry.serving == (1, None)
    assert _do(registry, "promote", 2) == (2, None)


def test_retire_gives_up_a_version_that_answers_nothing() -> None:
    """The champion before is not live any more; who answers cannot be retired, nor one that a canary needs."""
    registry = registry_of(VERSION, VERSION, VERSION)
    _do(registry, "promote", 2)
    _do(registry, "start", 3, rung="canary")
    for version in (2, 3):
        with pytest.raises(Conflict, match=f"version {version} answers requests"):
            _do(registry, "retire", version)
    assert [version.number for version in live_versions(registry, MODEL)] == [2, 3, 1]
    assert _do(registry, "retire", 1) == (2, 3)
    assert registry.statuses[0] == "retired"
    assert [version.number for version in live_versions(registry, MODEL)] == [2, 3]


def test_a_version_that_reads_what_the_definition_lost_is_not_routed() -> None:
    """A refused version keeps no field: it would answer each request with an error. Nothing is written."""
    hurried = replace(late_parcel, request=replace(parcels, fields={**parcels.fields, "hurry": number_field()}))
    registry = registry_of(VERSION)
    add_version(registry, replace(hurried, inputs=("weight", "hurry")), status="refused")
    for action in ("promote", "start"):
        with pytest.raises(NotReady, match=r"version 2 reads parcels\.hurry, which the definition has no longer"):
            _do(registry, action, 2)
    assert (registry.serving, registry.statuses) == ((1, None), ["champion", "refused"])
    assert _do(registry, "promote", 2, deployed=hurried) == (2, None)


def test_a_version_of_other_requests_is_not_routed() -> None:
    """Requests are checked by the contract of the definition's source, so it would be asked for other records."""
    registry = registry_of(VERSION, VERSION)
    letters = replace(late_parcel, request=replace(parcels, name="letters"))
    with pytest.raises(NotReady, match="version 2 answers requests of source parcels, not of letters"):
        _do(registry, "promote", 2, deployed=letters)


def test_only_a_live_version_can_be_retired() -> None:
    """Retiring a refused one would make the accepted version before it look out of date, and drop its views."""
    registry = registry_of(VERSION, VERSION, replace(VERSION, status="refused"))
    with pytest.raises(Conflict, match="version 3 is neither the champion before nor waiting"):
        _do(registry, "retire", 3)
    assert registry.statuses == ["champion", "registered", "refused"]
    _do(registry, "retire", 2)
    assert registry.statuses == ["champion", "retired", "refused"]
