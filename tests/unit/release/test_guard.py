"""Proves that the guard rolls back a canary that harms, and leaves every other one alone."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from smallbox.define.project import project_of
from smallbox.errors import Conflict
from smallbox.labels.stored import LabelFigures
from smallbox.registry.routing import Routing
from smallbox.registry.store import Registry
from smallbox.release.guard import GuardTask
from smallbox.release.routing_changes import Changes
from smallbox.times import DAY, HOUR, MINUTE
from tests.fakes.counters import FakeCanaryCounters
from tests.fakes.documents import FakeDocuments
from tests.fakes.edges import FakeNotices
from tests.fakes.small import late_parcel
from tests.fakes.versions import VERSION

MODEL, NOW = late_parcel.name, 20_000 * DAY
CANARY = late_parcel.release.canary


class Guarded:
    """A canary of version 2 that began five minutes ago, and what is counted of it."""

    def __init__(self) -> None:
        self.registry, self.counters, self.notices = Registry(FakeDocuments()), FakeCanaryCounters(), FakeNotices()
        self.metrics = FakeDocuments()
        for _ in range(2):
            self.registry.add(replace(VERSION, model=MODEL))
        self.task = GuardTask(project_of([late_parcel]), self.registry, self.metrics, self.counters, self.notices)
        changes = Changes(self.registry, MODEL, NOW - 5 * MINUTE)
        changes.make_champion(None, 1, {})
        assert CANARY is not None
        changes.start(self.routing, 2, CANARY, {})

    @property
    def routing(self) -> Routing:
        """The routing as it is."""
        routing = self.registry.routing(MODEL)
        assert routing is not None
        return routing

    def count(self, arm: str, trouble: Mapping[str, int], minutes_ago: int = 2) -> None:
        """Count a minute with two requests of an arm in each of 32 clusters, and trouble in some of them."""
        asked = {f"{arm}.asked.{cluster}": 2 for cluster in range(32)}
        bad = {f"{arm}.{name}.{cluster}": 1 for name, clusters in trouble.items() for cluster in range(clusters)}
        self.counters.add(MODEL, 2, NOW - minutes_ago * MINUTE, {**asked, **bad})


@pytest.fixture
def guarded() -> Guarded:
    """A canary."""
    return Guarded()


@pytest.mark.parametrize("figure", ["failed", "slow", "fallback", "missing"])
def test_harm_is_rolled_back_at_once(guarded: Guarded, figure: str) -> None:
    """All requests go to the champion, the history says why and by which figures, and people are told."""
    guarded.count("champion", {})
    guarded.count("challenger", {figure: 32})
    (done,) = guarded.task.run(NOW, climbs=True)
    assert (done["model"], done["version"], done["action"]) == (MODEL, 2, "roll_back")
    assert guarded.routing.versions == (1,)
    (line,) = [one for one in guarded.registry.history(MODEL) if one["event"] == "roll_back"]
    assert (line["version"], line["who"], line["why"]) == (2, "guard", done["why"])
    assert [one["figure"] for one in line["evidence"]["limits"] if one["is_harm"]] == [figure]
    assert guarded.registry.get(MODEL, 2).status == "rolled_back"
    ((subject, text),) = guarded.notices.told
    assert "version 2 was rolled back" in subject
    assert done["why"] in text


def test_trouble_of_both_arms_is_left_alone(guarded: Guarded) -> None:
    """An outage of everything is no harm of the challenger."""
    for arm in ("champion", "challenger"):
        guarded.count(arm, {"failed": 32})
    (done,) = guarded.task.run(NOW, climbs=True)
    assert done["action"] == "none"
    assert guarded.routing.challenger == 2
    assert guarded.notices.told == []


def test_a_look_that_cannot_tell_is_followed_by_another(guarded: Guarded) -> None:
    """With nothing counted it says so and changes nothing; the next look decides by what was counted meanwhile."""
    (done,) = guarded.task.run(NOW, climbs=True)
    assert (done["action"], done["why"][:15]) == ("none", "cannot tell yet")
    guarded.count("champion", {}, minutes_ago=0)
    guarded.count("challenger", {"failed": 32}, minutes_ago=0)
    (done,) = guarded.task.run(NOW + MINUTE, climbs=True)
    assert done["action"] == "roll_back"


def test_what_was_counted_before_the_step_is_left_out(guarded: Guarded) -> None:
    """A step is judged by what was counted since it began."""
    guarded.count("champion", {}, minutes_ago=60)
    guarded.count("challenger", {"failed": 32}, minutes_ago=60)
    (done,) = guarded.task.run(NOW, climbs=True)
    assert done["action"] == "none"


def test_a_model_without_a_canary_is_not_looked_at(guarded: Guarded) -> None:
    """After the rollback there is nothing to do; before the first version neither."""
    Changes(guarded.registry, MODEL, NOW).end(guarded.routing, "rolled_back", {"why": "by hand"})
    assert guarded.task.run(NOW + HOUR, climbs=True) == []
    stores = Registry(FakeDocuments()), FakeDocuments(), guarded.counters, guarded.notices
    empty = GuardTask(project_of([late_parcel]), *stores)
    assert empty.run(NOW, climbs=True) == []


def test_a_change_meanwhile_is_not_undone(guarded: Guarded, monkeypatch: pytest.MonkeyPatch) -> None:
    """When another writer changes the routing first, the guard leaves it alone and looks again later."""
    guarded.count("champion", {})
    guarded.count("challenger", {"failed": 32})

    def refused(*_: object) -> None:
        raise Conflict("another writer changed it")

    monkeypatch.setattr(guarded.registry, "route", refused)
    (done,) = guarded.task.run(NOW, climbs=True)
    assert done["action"] == "none"
    assert "another writer changed it" in done["why"]
    assert guarded.notices.told == []


def test_a_step_that_has_baked_is_followed_by_the_next(guarded: Guarded) -> None:
    """By the schedule, after its hour and enough requests; by no alarm, and never to champion: the review does that."""
    for minutes_ago in range(4):
        for arm in ("champion", "challenger"):
            guarded.count(arm, {}, minutes_ago)
    (early,) = guarded.task.run(NOW, climbs=True)
    assert (early["action"], early["why"]) == ("none", "the step of 0.01 bakes for 1h")
    later = NOW + HOUR
    (by_alarm,) = guarded.task.run(later, climbs=False)
    assert (by_alarm["action"], guarded.routing.share) == ("none", 0.01)
    (up,) = guarded.task.run(later, climbs=True)
    assert (up["action"], guarded.routing.share) == ("step", 0.1)
    assert guarded.registry.history(MODEL)[-1]["who"] == "guard"
    for days in (1, 2):
        for arm in ("champion", "challenger"):
            for minute in range(4):
                guarded.counters.add(
                    MODEL,
                    2,
                    guarded.routing.since + minute * MINUTE,
                    {f"{arm}.asked.{cluster}": 2 for cluster in range(32)},
                )
        guarded.task.run(later + days * DAY, climbs=True)
    assert guarded.routing.share == 0.5
    (last,) = guarded.task.run(later + 9 * DAY, climbs=True)
    assert (last["action"], guarded.routing.challenger) == ("none", 2)


def test_a_held_canary_stays_in_its_step(guarded: Guarded) -> None:
    """Until it is let go, however long its step has baked."""
    for minutes_ago in range(4):
        for arm in ("champion", "challenger"):
            guarded.count(arm, {}, minutes_ago)
    Changes(guarded.registry, MODEL, NOW).hold(guarded.routing, {"why": "a holiday"})
    (done,) = guarded.task.run(NOW + HOUR, climbs=True)
    assert (done["action"], guarded.routing.share) == ("none", 0.01)


def test_behind_an_open_breaker_a_canary_stays_in_its_step(guarded: Guarded) -> None:
    """Its labels cannot show harm now; what needs no label still rolls it back."""
    LabelFigures(guarded.metrics, MODEL).set_breaker({"day": "2024-10-03", "open": True, "why": "stalled", "trips": []})
    for minutes_ago in range(4):
        for arm in ("champion", "challenger"):
            guarded.count(arm, {}, minutes_ago)
    (done,) = guarded.task.run(NOW + HOUR, climbs=True)
    assert (done["action"], done["why"], guarded.routing.share) == (
        "none",
        "the label breaker is open: stalled",
        0.01,
    )
    guarded.count("challenger", {"failed": 32})
    (harm,) = guarded.task.run(NOW + HOUR, climbs=True)
    assert harm["action"] == "roll_back"
