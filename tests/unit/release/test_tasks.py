"""Proves how releases begin: first champions, shadows, versions that wait in line, and mended crashes."""

from dataclasses import replace
from typing import Any

import pytest

from smallbox.define import mean
from smallbox.define.release_rules import Canary, Release, Shadow
from smallbox.errors import Unavailable
from smallbox.registry.routing import RunningExperiment, start_experiment
from smallbox.times import DAY
from tests.fakes.documents import FakeDocuments
from tests.fakes.small import depot, late_parcel
from tests.fakes.versions import VERSION, add_version
from tests.unit.release.canaries import MODEL, Crashing, Shelf, registry_of, reviewed, ruled, start

OTHER_COLUMNS = replace(late_parcel, inputs=("weight",))
WIDER = replace(late_parcel, views=(replace(depot, features={"depot_delay_9h": mean("delay", "9h")}),))
OTHER_LABEL = replace(late_parcel, label=replace(late_parcel.label, within="12h"))
NO_SHADOW = ruled(Release(shadow=None, canary=Canary(steps=("20% for 1d",))))
NO_CANARY = ruled(Release(canary=None))
NOTHING = ruled(Release(shadow=None, canary=None))


def test_the_first_version_becomes_champion_and_the_shadow_of_the_next_begins() -> None:
    """The first answers everything; the second answers nobody yet; starting either again changes nothing."""
    registry = registry_of(VERSION, VERSION)
    told = [start(registry, number, DAY)["release"]["action"] for number in (2, 1, 2)]
    assert told == ["shadow", "champion", "shadow"]
    assert (registry.serving, registry.statuses) == ((1, None), ["champion", "shadow"])
    assert registry.events == ["champion", "shadow"]


def test_a_version_waits_in_line_while_a_release_runs() -> None:
    """It begins when the other is decided; of several that waited only the newest does, and the others are given up."""
    registry = registry_of(VERSION, VERSION)
    start(registry, 2, DAY)
    for number in (3, 4):
        add_version(registry, late_parcel)
        assert start(registry, number, 2 * DAY)["release"]["action"] == "wait"
    assert reviewed(registry, 3 * DAY)["version"] == 2
    registry.give_up(2, 4 * DAY)
    found = reviewed(registry, 5 * DAY)
    assert (found["action"], found["version"]) == ("shadow", 4)
    assert registry.statuses == ["champion", "rolled_back", "retired", "shadow"]
    assert registry.history(MODEL)[-2]["why"] == "version 4 is newer and waited as well"


@pytest.mark.parametrize(
    ("model", "action", "serving", "left_out"),
    [
        (late_parcel, "shadow", (1, None), None),
        (NO_SHADOW, "start", (1, 2), ["shadow"]),
        (NOTHING, "promote", (2, None), ["shadow", "canary"]),
    ],
)
def test_a_rung_that_is_left_out_is_named(model: Any, action: str, serving: Any, left_out: Any) -> None:
    """The release begins on the first rung that there is, and its history says which ones there are not."""
    registry = registry_of(VERSION, VERSION, model=model)
    assert reviewed(registry, DAY, model)["action"] == action
    assert registry.serving == serving
    assert registry.history(MODEL)[-1].get("left_out") == left_out


def test_a_training_does_not_let_callers_see_a_version() -> None:
    """Without a shadow the release begins with the daily review, not at the moment a training ends."""
    registry = registry_of(VERSION, VERSION, model=NO_SHADOW)
    assert start(registry, 2, DAY, NO_SHADOW)["release"]["action"] == "wait"
    assert registry.serving == (1, None)


def test_a_canary_waits_for_the_end_of_an_experiment() -> None:
    """The experiment decides who answers, and the reason names it; a shadow may begin meanwhile."""
    for model, action in ((NO_SHADOW, "wait"), (late_parcel, "shadow")):
        registry = registry_of(VERSION, VERSION, model=model)
        routing = registry.routing(MODEL)
        assert routing is not None
        registry.route(MODEL, start_experiment(routing, RunningExperiment("prices", "ab", ((1, 1.0),)), DAY))
        found = reviewed(registry, 2 * DAY, model)
        assert found["action"] == action
        assert action == "shadow" or "the experiment prices decides who answers" in found["why"]


def test_an_accepted_version_that_was_not_released_is_picked_up() -> None:
    """After a start that failed the newest accepted version is released; refused ones and rolled-back ones are not."""
    registry = registry_of(VERSION, VERSION, replace(VERSION, status="refused"))
    assert reviewed(registry, 10 * DAY)["version"] == 2
    never_started = Shelf()
    add_version(never_started, late_parcel)
    never_started.fill()
    assert reviewed(never_started, 10 * DAY)["action"] == "champion"
    assert never_started.serving == (1, None)
    rolled_back = registry_of(VERSION, VERSION, replace(VERSION, status="rolled_back"))
    assert reviewed(rolled_back, 10 * DAY)["action"] == "none"


def test_the_first_version_waits_until_its_views_are_filled() -> None:
    """Before the backfill ended nobody answers, and both the run and the review say so; the review then releases it."""
    registry = Shelf()
    add_version(registry, late_parcel)
    told = start(registry, 1, DAY)["release"]
    assert told["action"] == reviewed(registry, DAY)["action"] == "wait"
    assert told["why"] == "the history of depot is not computed yet; run `smallbox backfill` unless it is running"
    assert (registry.routing(MODEL), registry.statuses) == (None, ["registered"])
    registry.fill()
    assert reviewed(registry, 2 * DAY)["action"] == "champion"
    assert (registry.serving, registry.statuses) == ((1, None), ["champion"])


def test_a_version_of_other_columns_has_a_shadow_too() -> None:
    """The champion goes on answering with its own columns; the views that only the other reads are kept."""
    registry = registry_of(VERSION)
    add_version(registry, OTHER_COLUMNS)
    assert start(registry, 2, 9 * DAY, OTHER_COLUMNS)["release"]["action"] == "shadow"
    assert registry.statuses == ["champion", "shadow"]


def test_a_release_does_not_begin_before_its_views_are_filled() -> None:
    """The version waits for its own window; the day after the backfill its shadow begins."""
    registry = registry_of(VERSION)
    add_version(registry, WIDER)
    found = reviewed(registry, 10 * DAY, WIDER)
    assert (found["action"], "the history of depot is not computed yet" in found["why"]) == ("wait", True)
    registry.fill(WIDER, 10 * DAY)
    assert reviewed(registry, 11 * DAY, WIDER)["action"] == "shadow"


def test_a_version_of_another_label_waits_for_a_person() -> None:
    """There is nothing to compare, however many labels there are: the reason names both versions, every day again."""
    registry = registry_of(VERSION)
    add_version(registry, OTHER_LABEL)
    for day in (10, 11):
        found = reviewed(registry, day * DAY, OTHER_LABEL)
        assert (found["action"], found["version"]) == ("wait", 2)
        assert "version 2 predicts another label than version 1" in found["why"]
        assert f"`smallbox release promote {MODEL} 2 --why TEXT` makes it champion" in found["why"]
    assert (registry.serving, registry.statuses) == ((1, None), ["champion", "registered"])


def test_a_crash_before_the_routing_is_made_good() -> None:
    """A change that dies before the routing is written is the same change on the next try, recorded once."""
    documents = FakeDocuments()
    for _ in range(2):
        add_version(Shelf(documents), late_parcel)
    Shelf(documents).fill()
    start(Shelf(documents), 1)
    for model, action in ((late_parcel, "shadow"), (NO_SHADOW, "start")):
        crashing = Crashing(documents)
        with pytest.raises(Unavailable):
            reviewed(crashing, 10 * DAY, model)
        assert reviewed(crashing, 10 * DAY, model)["action"] == action
    registry = Shelf(documents)
    assert (registry.serving, registry.statuses) == ((1, 2), ["champion", "challenger"])
    assert registry.events == ["champion", "challenger", "shadow"], "both on one day"


def test_a_definition_that_lost_its_shadow_lets_the_version_climb() -> None:
    """What runs goes on by the rules that are deployed now, and says so."""
    registry = registry_of(VERSION, VERSION)
    reviewed(registry, DAY)
    found = reviewed(registry, 2 * DAY, NO_SHADOW)
    assert (found["action"], registry.serving) == ("start", (1, 2))
    assert "the definition has no shadow any more" in found["why"]


def test_a_shadow_without_labels_ends_undecided() -> None:
    """After max_days without one labelled row it cannot tell, the champion stays, and no release follows."""
    model = ruled(Release(shadow=Shadow(max_days=3)))
    registry = registry_of(VERSION, VERSION, model=model)
    assert [reviewed(registry, day * DAY, model)["action"] for day in (1, 2, 4, 5)] == [
        "shadow", "wait", "cannot_tell", "none",
    ]  # fmt: skip
    assert (registry.serving, registry.statuses) == ((1, None), ["champion", "undecided"])
