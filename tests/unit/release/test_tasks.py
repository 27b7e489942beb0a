"""Proves what the release's tasks do with the registry: first champions, canaries, verdicts, mended crashes."""

from dataclasses import replace
from typing import Any

import pyarrow.compute as pc
import pytest

from smallbox.define.rules import Release
from smallbox.errors import Unavailable
from smallbox.registry.routing import first_champion
from smallbox.registry.store import Registry
from smallbox.times import DAY
from tests.fakes.documents import FakeDocuments
from tests.fakes.versions import VERSION
from tests.unit.release.canaries import AUC_75, AUC_80, MODEL, lake_of, predictions, registry_of, reviewed, ruled, start


def _serving(registry: Registry) -> tuple[int, int | None]:
    routing = registry.routing(MODEL)
    assert routing is not None
    return routing.champion, routing.challenger


def _statuses(registry: Registry) -> list[str]:
    return [version.status for version in registry.versions(MODEL)]


def _events(registry: Registry) -> list[str]:
    return [event["event"] for event in registry.history(MODEL)]


def test_the_first_version_becomes_champion_and_the_next_waits() -> None:
    """The first answers everything; the second waits for the review; starting either again changes nothing."""
    registry = registry_of(VERSION, VERSION)
    told = [start(registry, number, DAY)["release"]["action"] for number in (2, 1, 2)]
    assert told == ["wait", "champion", "wait"]
    assert (_serving(registry), _statuses(registry)) == ((1, None), ["champion", "registered"])


def test_the_review_starts_the_canary_and_says_how_long_it_takes() -> None:
    """With traffic enough the version that waits becomes challenger, with the share, and the days that it needs."""
    registry, lake = registry_of(VERSION, VERSION), lake_of(predictions(range(10), 1_000))
    found = reviewed(registry, lake, 10 * DAY)
    assert (found["action"], found["version"]) == ("start", 2), found["why"]
    assert "a canary would take about 6.1 days: 1003 labelled predictions a day, 302.3" in found["why"]
    assert (_serving(registry), _statuses(registry)) == ((1, 2), ["champion", "challenger"])
    assert registry.history(MODEL)[-1]["why"] == found["why"]


def test_a_canary_that_cannot_end_does_not_start() -> None:
    """Of 48 predictions a day the version is left undecided with the days that it would take, and only once."""
    registry, lake = registry_of(VERSION, VERSION), lake_of(predictions(range(60), 48))
    found = reviewed(registry, lake, 60 * DAY)
    assert found["action"] == "cannot_tell"
    assert "48 labelled predictions a day" in found["why"]
    assert "the limit is max_days=14" in found["why"]
    assert (_serving(registry), _statuses(registry)) == ((1, None), ["champion", "undecided"])
    assert reviewed(registry, lake, 61 * DAY)["action"] == "none"
    assert _events(registry).count("undecided") == 1


@pytest.mark.parametrize("lake", [lake_of(), lake_of(predictions(range(50, 51), 9))], ids=["no table", "open windows"])
def test_without_labels_a_version_waits(lake: Any) -> None:
    """Where nothing can be said of the traffic yet, the version stays registered and the next day asks again."""
    registry = registry_of(VERSION, VERSION)
    assert reviewed(registry, lake, 51 * DAY)["action"] == "wait"
    assert _statuses(registry) == ["champion", "registered"]


def test_an_accepted_version_that_was_not_released_is_picked_up() -> None:
    """After a canary, and after a start that failed, the newest accepted version is released; older ones are not."""
    registry, lake = (
        registry_of(VERSION, VERSION, replace(VERSION, status="refused")),
        lake_of(predictions(range(10), 1_000)),
    )
    assert reviewed(registry, lake, 10 * DAY)["version"] == 2
    never_started = Registry(FakeDocuments())
    never_started.add(VERSION)
    assert reviewed(never_started, lake, 10 * DAY)["action"] == "champion"
    assert _serving(never_started) == (1, None)
    rolled_back = registry_of(VERSION, VERSION, replace(VERSION, status="rolled_back"))
    assert reviewed(rolled_back, lake, 10 * DAY)["action"] == "none"


def test_a_champion_of_other_columns_is_replaced_at_once() -> None:
    """After the definition changed the champion can answer nobody, so there is no canary to wait for."""
    registry = registry_of(replace(VERSION, columns=["gone"]), replace(VERSION, columns=["gone"]), VERSION)
    registry.route(MODEL, replace(registry.routing(MODEL) or first_champion(1, 0), challenger=2))
    start(registry, 3, DAY)
    assert (_serving(registry), _statuses(registry)) == ((3, None), ["retired", "retired", "champion"])


SLOW = ruled(Release(canary=0.2, max_days=14), within="7d")


@pytest.mark.parametrize("early", [False, True], ids=["all after a week", "positives at once"])
def test_a_better_challenger_is_not_rolled_back_where_labels_take_a_week(early: bool) -> None:  # noqa: FBT001
    """Better by .05 it is promoted, though no label is certain in the first week; early positives are not judged."""
    registry, before = registry_of(VERSION, VERSION), predictions(range(20), 1_200, base=0.2)
    live = predictions(range(20, 36), 1_200, base=0.2, share=0.2, shifts=(AUC_75, AUC_80))
    for day in range(20, 36):
        is_over = pc.less_equal(live["time"], (day - 7) * DAY)
        shown = live.filter(pc.or_(is_over, live["label"])) if early else live.filter(is_over)
        found = reviewed(registry, lake_of(before, shown), day * DAY, SLOW)
        assert found["action"] == "start" if day == 20 else day > 27 or found["action"] == "wait"
        if found["action"] == "promote":
            break
    assert _serving(registry) == (2, None), found["why"]
    judged = pc.sum(pc.equal(live.filter(is_over)["version"], 2)).as_py()
    assert found["evidence"]["challenger_labels"] == judged


def test_an_undecided_canary_ends_and_the_champion_stays() -> None:
    """When time is over and the labels are too few, the challenger leaves as undecided, and no canary follows."""
    registry, lake = registry_of(VERSION, VERSION), lake_of(predictions(range(10), 1_000))
    reviewed(registry, lake, 10 * DAY)
    assert reviewed(registry, lake, 23 * DAY)["action"] == "wait"
    assert reviewed(registry, lake, 24 * DAY)["action"] == "cannot_tell"
    assert (_serving(registry), _statuses(registry)) == ((1, None), ["champion", "undecided"])
    assert reviewed(registry, lake, 25 * DAY)["action"] == "none"
    assert _events(registry) == ["champion", "challenger", "undecided"]


class _Crashing(Registry):
    """A registry whose routing cannot be written once."""

    crashes = 1

    def route(self, *arguments: Any) -> None:
        if self.crashes:
            self.crashes -= 1
            raise Unavailable("the table did not answer")
        super().route(*arguments)


def test_a_crash_before_the_routing_is_made_good() -> None:
    """A start or a review that dies before the routing is written is the same change on the next try, recorded once."""
    documents = FakeDocuments()
    for _ in range(2):
        Registry(documents).add(VERSION)
    start(Registry(documents), 1)
    canary = predictions(range(10, 24), 2_000, share=0.2, shifts=(AUC_75, AUC_80))
    lake = lake_of(predictions(range(10), 1_000), canary)
    for day, action in ((10, "start"), (24, "promote")):
        crashing = _Crashing(documents)
        with pytest.raises(Unavailable):
            reviewed(crashing, lake, day * DAY)
        assert reviewed(crashing, lake, day * DAY)["action"] == action
    registry = Registry(documents)
    assert (_serving(registry), _statuses(registry)) == ((2, None), ["retired", "champion"])
    assert _events(registry) == ["champion", "challenger", "promote"]
