"""Proves what the release's tasks do with the registry: first champions, canaries, verdicts, mended crashes."""

from dataclasses import replace
from typing import Any

import pyarrow.compute as pc
import pytest

from smallbox.define import mean
from smallbox.define.rules import Release
from smallbox.errors import Unavailable
from smallbox.times import DAY
from tests.fakes.documents import FakeDocuments
from tests.fakes.small import depot, late_parcel
from tests.fakes.versions import VERSION, add_version
from tests.unit.release.canaries import (
    BETTER,
    GOOD,
    MODEL,
    Crashing,
    Shelf,
    lake_of,
    predictions,
    registry_of,
    reviewed,
    ruled,
    start,
)


def test_the_first_version_becomes_champion_and_the_next_waits() -> None:
    """The first answers everything; the second waits for the review; starting either again changes nothing."""
    registry = registry_of(VERSION, VERSION)
    told = [start(registry, number, DAY)["release"]["action"] for number in (2, 1, 2)]
    assert told == ["wait", "champion", "wait"]
    assert (registry.serving, registry.statuses) == ((1, None), ["champion", "registered"])


def test_the_review_starts_the_canary_and_says_how_long_it_takes() -> None:
    """With traffic enough the version that waits becomes challenger, with the share, and the days that it needs."""
    registry, lake = registry_of(VERSION, VERSION), lake_of(predictions(range(10), 2_000))
    found = reviewed(registry, lake, 10 * DAY)
    assert (found["action"], found["version"]) == ("start", 2), found["why"]
    assert "a canary would take about 9.2 days: 2007 labelled predictions a day, 715.9" in found["why"]
    assert (registry.serving, registry.statuses) == ((1, 2), ["champion", "challenger"])
    assert registry.history(MODEL)[-1]["why"] == found["why"]


def test_a_canary_that_cannot_end_does_not_start() -> None:
    """Of 48 predictions a day the version is left undecided with the days that it would take, and only once."""
    registry, lake = registry_of(VERSION, VERSION), lake_of(predictions(range(60), 48))
    found = reviewed(registry, lake, 60 * DAY)
    assert found["action"] == "cannot_tell"
    assert "49 labelled predictions a day" in found["why"]
    assert "the limit is max_days=14" in found["why"]
    assert (registry.serving, registry.statuses) == ((1, None), ["champion", "undecided"])
    assert reviewed(registry, lake, 61 * DAY)["action"] == "none"
    assert registry.events.count("undecided") == 1


@pytest.mark.parametrize("lake", [lake_of(), lake_of(predictions(range(50, 51), 9))], ids=["no table", "open windows"])
def test_without_labels_a_version_waits(lake: Any) -> None:
    """Where nothing can be said of the traffic yet, the version stays registered and the next day asks again."""
    registry = registry_of(VERSION, VERSION)
    assert reviewed(registry, lake, 51 * DAY)["action"] == "wait"
    assert registry.statuses == ["champion", "registered"]


def test_an_accepted_version_that_was_not_released_is_picked_up() -> None:
    """After a canary, and after a start that failed, the newest accepted version is released; older ones are not."""
    registry, lake = (
        registry_of(VERSION, VERSION, replace(VERSION, status="refused")),
        lake_of(predictions(range(10), 2_000)),
    )
    assert reviewed(registry, lake, 10 * DAY)["version"] == 2
    never_started = Shelf()
    add_version(never_started, late_parcel)
    never_started.fill()
    assert reviewed(never_started, lake, 10 * DAY)["action"] == "champion"
    assert never_started.serving == (1, None)
    rolled_back = registry_of(VERSION, VERSION, replace(VERSION, status="rolled_back"))
    assert reviewed(rolled_back, lake, 10 * DAY)["action"] == "none"


OTHER_COLUMNS = replace(late_parcel, inputs=("weight",))
WIDER = replace(late_parcel, views=(replace(depot, features={"depot_delay_9h": mean("delay", "9h")}),))
OTHER_LABEL = replace(late_parcel, label=replace(late_parcel.label, within="12h"))


def test_the_first_version_waits_until_its_views_are_filled() -> None:
    """Before the backfill ended nobody answers, and both the run and the review say so; the review then releases it."""
    registry = Shelf()
    add_version(registry, late_parcel)
    told = start(registry, 1, DAY)["release"]
    assert told["action"] == reviewed(registry, lake_of(), DAY)["action"] == "wait"
    assert told["why"] == "the history of depot is not computed yet; run `smallbox backfill` unless it is running"
    assert (registry.routing(MODEL), registry.statuses) == (None, ["registered"])
    registry.fill()
    assert reviewed(registry, lake_of(), 2 * DAY)["action"] == "champion"
    assert (registry.serving, registry.statuses) == ((1, None), ["champion"])


def test_a_version_of_other_columns_waits_for_its_canary() -> None:
    """The champion goes on answering with its own columns, and the other version begins with a share of the keys."""
    registry, lake = registry_of(VERSION), lake_of(predictions(range(10), 2_000))
    add_version(registry, OTHER_COLUMNS)
    assert start(registry, 2, 9 * DAY, OTHER_COLUMNS)["release"]["action"] == "wait"
    assert registry.statuses == ["champion", "registered"]
    assert reviewed(registry, lake, 10 * DAY, OTHER_COLUMNS)["action"] == "start"
    assert (registry.serving, registry.statuses) == ((1, 2), ["champion", "challenger"])


def test_a_canary_does_not_begin_before_its_views_are_filled() -> None:
    """With traffic enough the version waits for its own window; the day after the backfill its canary begins."""
    registry, lake = registry_of(VERSION), lake_of(predictions(range(10), 2_000))
    add_version(registry, WIDER)
    found = reviewed(registry, lake, 10 * DAY, WIDER)
    assert (found["action"], "the history of depot is not computed yet" in found["why"]) == ("wait", True)
    registry.fill(WIDER, 10 * DAY)
    assert reviewed(registry, lake, 11 * DAY, WIDER)["action"] == "start"


def test_a_version_of_another_label_waits_for_a_person() -> None:
    """There is nothing to compare, however many labels there are: the reason names both versions, every day again."""
    registry, lake = registry_of(VERSION), lake_of(predictions(range(10), 2_000))
    add_version(registry, OTHER_LABEL)
    for day in (10, 11):
        found = reviewed(registry, lake, day * DAY, OTHER_LABEL)
        assert (found["action"], found["version"]) == ("wait", 2)
        assert "version 2 predicts another label than version 1" in found["why"]
        assert "`smallbox release` promotes it by hand" in found["why"]
    assert (registry.serving, registry.statuses) == ((1, None), ["champion", "registered"])


def test_a_canary_is_judged_by_the_champions_window() -> None:
    """The definition's window has been made shorter since: rows whose own window is still open do not count."""
    registry = registry_of(VERSION, VERSION)
    before = predictions(range(10), 2_000)
    reviewed(registry, lake_of(before), 10 * DAY)
    canary = predictions(range(10, 13), 2_000, share=0.3)
    found = reviewed(registry, lake_of(before, canary), 13 * DAY, OTHER_LABEL)
    closed = canary.filter(pc.less_equal(canary["time"], 12 * DAY))
    counted = found["evidence"]["champion_labels"] + found["evidence"]["challenger_labels"]
    assert counted == closed.num_rows < canary.num_rows


SLOW = ruled(Release(canary=0.2, max_days=14), within="7d")


@pytest.mark.parametrize("early", [False, True], ids=["all after a week", "positives at once"])
def test_a_better_challenger_is_not_rolled_back_where_labels_take_a_week(early: bool) -> None:  # noqa: FBT001
    """Better it is promoted, though no label is certain in the first week; early positives are not judged."""
    registry, before = registry_of(VERSION, VERSION, model=SLOW), predictions(range(20), 3_000, base=0.2)
    live = predictions(range(20, 36), 3_000, base=0.2, share=0.2, misses=(GOOD, BETTER))
    for day in range(20, 36):
        is_over = pc.less_equal(live["time"], (day - 7) * DAY)
        shown = live.filter(pc.or_(is_over, live["label"])) if early else live.filter(is_over)
        found = reviewed(registry, lake_of(before, shown), day * DAY, SLOW)
        assert found["action"] == "start" if day == 20 else day > 27 or found["action"] == "wait"
        if found["action"] == "promote":
            break
    assert registry.serving == (2, None), found["why"]
    judged = pc.sum(pc.equal(live.filter(is_over)["version"], 2)).as_py()
    assert found["evidence"]["challenger_labels"] == judged


def test_an_undecided_canary_ends_and_the_champion_stays() -> None:
    """When time is over and the labels are too few, the challenger leaves as undecided, and no canary follows."""
    registry, lake = registry_of(VERSION, VERSION), lake_of(predictions(range(10), 2_000))
    reviewed(registry, lake, 10 * DAY)
    assert reviewed(registry, lake, 23 * DAY)["action"] == "wait"
    assert reviewed(registry, lake, 24 * DAY)["action"] == "cannot_tell"
    assert (registry.serving, registry.statuses) == ((1, None), ["champion", "undecided"])
    assert reviewed(registry, lake, 25 * DAY)["action"] == "none"
    assert registry.events == ["champion", "challenger", "undecided"]


def test_a_crash_before_the_routing_is_made_good() -> None:
    """A start or a review that dies before the routing is written is the same change on the next try, recorded once."""
    documents = FakeDocuments()
    for _ in range(2):
        add_version(Shelf(documents), late_parcel)
    Shelf(documents).fill()
    start(Shelf(documents), 1)
    canary = predictions(range(10, 24), 2_000, share=0.2, misses=(GOOD, BETTER))
    lake = lake_of(predictions(range(10), 2_000), canary)
    for day, action in ((10, "start"), (24, "promote")):
        crashing = Crashing(documents)
        with pytest.raises(Unavailable):
            reviewed(crashing, lake, day * DAY)
        assert reviewed(crashing, lake, day * DAY)["action"] == action
    registry = Shelf(documents)
    assert (registry.serving, registry.statuses) == ((2, None), ["retired", "champion"])
    assert registry.events == ["champion", "challenger", "promote"]
