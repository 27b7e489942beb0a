"""Proves the ladder on answers and labels: a good version climbs it, a bad one stops where it can be seen."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from smallbox.console.release_story import newest_released, release_story
from smallbox.define.release_rules import Canary, Release, Shadow
from smallbox.registry.routing import Routing
from smallbox.release.looks import Looks
from smallbox.release.review import ReviewTask
from smallbox.release.routing_changes import Changes
from smallbox.times import DAY, Micros, format_moment
from tests.unit.release.shadowed import BAD, CHAMPION, GOOD, PLAIN, Shadowed

LADDER: Final = replace(
    PLAIN,
    release=Release(shadow=Shadow(max_loss_increase=0.05, max_days=14), canary=Canary(("30% for 1d", "50% for 2d"))),
)


class Climbing(Shadowed):
    """A release that is reviewed at every midnight."""

    def __init__(self, slope: float, model: Any = LADDER) -> None:
        super().__init__(slope, model)
        serving = self.serving
        self.review = ReviewTask(serving.project, serving.lake, serving.registry, serving.live, self.metrics)

    def day(self, day: int) -> Mapping[str, Any]:
        """A day of requests, the labels of the day before, and the review at its end."""
        self.ask(day)
        if day:
            self.learn(day - 1)
        now: Micros = (day + 1) * DAY
        self.close(now)
        return self.review.run({"model": self.model.name, "as_of": format_moment(now)}, now)["release"]

    def climb(self, days: int) -> list[str]:
        """The actions of the days until the release is over."""
        found = []
        for day in range(days):
            found.append(str(self.day(day)["action"]))
            if found[-1] in {"promote", "roll_back", "cannot_tell"}:
                break
        return found

    @property
    def now(self) -> Routing:
        """The routing."""
        routing = self.serving.registry.routing(self.model.name)
        assert routing is not None
        return routing


def test_a_good_version_climbs_every_rung() -> None:
    """Its shadow shows that it is not worse, its canary shows no harm, each step bakes as declared, and it serves."""
    release = Climbing(GOOD)
    actions = release.climb(20)
    assert [one for one in actions if one != "wait"] == ["start", "step", "promote"]
    assert actions.index("step") - actions.index("start") == 1, "the first step bakes for a day"
    assert actions.index("promote") - actions.index("step") == 2, "and the second for two"
    assert release.now.champion == 2
    history = release.serving.registry.history(PLAIN.name)
    assert [(e["event"], e.get("share")) for e in history] == [("challenger", 0.3), ("step", 0.5), ("promote", None)]


def test_a_bad_version_answers_nobody() -> None:
    """The shadow is the first rung that can see it: no request was ever answered by it."""
    release = Climbing(BAD)
    actions = release.climb(20)
    assert actions[-1] == "roll_back"
    assert set(actions[:-1]) <= {"wait"}
    assert len(actions) < 8
    assert release.now == replace(Routing(1, revision=2))
    assert release.serving.registry.get(PLAIN.name, 2).status == "rolled_back"


def test_an_equal_version_is_not_called_worse() -> None:
    """The same model under another number is let up or left undecided, and never rolled back."""
    release = Climbing(CHAMPION)
    assert release.climb(20)[-1] == "promote"


def test_a_canary_of_a_version_that_misses_its_features_is_rolled_back() -> None:
    """The log of one day shows that the fallback answers for it; the champion then answers everything again."""
    release = Climbing(GOOD, replace(LADDER, fallback=0.3, release=replace(LADDER.release, shadow=None)))
    release.serving.registry.route(PLAIN.name, replace(release.now, shadow=None))
    Changes(release.serving.registry, PLAIN.name, 0).start(release.now, 2, Canary(("50% for 2d",)), {})
    version = release.serving.registry.get(PLAIN.name, 2)
    release.serving.blobs.put(version.onnx_key, b"damaged")
    found = release.day(0)
    assert found["action"] == "roll_back"
    assert "answers from the fallback" in found["why"]
    assert (release.now.champion, release.now.challenger) == (1, None)


def test_a_canary_with_few_requests_holds_and_ends_undecided() -> None:
    """Of three requests a day no harm could be seen, so it is neither promoted nor called bad."""
    canary = Canary(("20% for 1d",), max_days=4)
    release = Climbing(GOOD, replace(LADDER, release=Release(shadow=None, canary=canary)))
    release.serving.registry.route(PLAIN.name, replace(release.now, shadow=None))
    Changes(release.serving.registry, PLAIN.name, 0).start(release.now, 2, canary, {})
    actions = []
    for day in range(6):
        release.ask(day, rows=3)
        now = (day + 1) * DAY
        found = release.review.run({"model": PLAIN.name, "as_of": format_moment(now)}, now)["release"]
        actions.append(found["action"])
        if found["action"] != "wait":
            break
        assert "too few" in found["why"] or "bakes" in found["why"]
    assert actions == ["wait", "wait", "wait", "wait", "cannot_tell"], "four days after its step had baked for one"


def test_harm_ends_a_held_canary() -> None:
    """A person who holds a release does not keep callers in it."""
    release = Climbing(GOOD, replace(LADDER, fallback=0.3, release=replace(LADDER.release, shadow=None)))
    release.serving.registry.route(PLAIN.name, replace(release.now, shadow=None))
    changes = Changes(release.serving.registry, PLAIN.name, 0)
    changes.start(release.now, 2, Canary(("50% for 2d",)), {})
    changes.hold(release.now, {"why": "a holiday", "who": "ada"})
    release.serving.blobs.put(release.serving.registry.get(PLAIN.name, 2).onnx_key, b"damaged")
    assert release.day(0)["action"] == "roll_back"


def test_the_story_has_every_look_and_every_day() -> None:
    """What `smallbox release show` prints: events, looks with their bounds, and days with both losses."""
    release = Climbing(GOOD)
    actions = release.climb(20)
    registry, name = release.serving.registry, PLAIN.name
    history = registry.history(name)
    assert newest_released(name, release.now, history) == 2
    looks = Looks(release.metrics, name, 2).all()
    story = release_story(registry.get(name, 2), release.now, history, looks, release.days)
    assert [look["action"] for look in story["looks"]] == actions
    shadow = [look["evidence"] for look in story["looks"] if look["rung"] == "shadow"]
    assert shadow[0]["low"] is None, "the first day says nothing"
    assert shadow[-1]["low"] < shadow[-1]["difference"] < shadow[-1]["high"] < 0
    assert story["running"] is None
    assert {one["slice"] for one in story["slices"]} == {"depot=d0", "depot=d1", "depot=d2"}


def test_a_step_that_bakes_longer_than_max_days_is_not_undecided() -> None:
    """The days without a verdict count from when the step has baked: a long step is not an undecided one."""
    canary = Canary(("50% for 6d",), max_days=2)
    release = Climbing(GOOD, replace(LADDER, release=Release(shadow=None, canary=canary)))
    release.serving.registry.route(PLAIN.name, replace(release.now, shadow=None))
    Changes(release.serving.registry, PLAIN.name, 0).start(release.now, 2, canary, {})
    assert [release.day(day)["action"] for day in range(6)] == ["wait"] * 5 + ["promote"]
