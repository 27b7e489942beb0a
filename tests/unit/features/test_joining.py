"""Views join while workers run that do not know them yet: each case that the order of reads and markers decides.

:mod:`tests.properties.test_backfill` looks for cases that nobody thought of.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import pytest

from smallbox.features.live_views import id_of
from smallbox.ingestion.contract import contract_of
from smallbox.records import Record
from smallbox.times import HOUR, MINUTE, format_moment
from tests.fakes.actors import Actor
from tests.properties.seam import SeamWorld
from tests.properties.seam_queues import Execution, Worker


def world(*names: str, source: str = "at_once") -> SeamWorld:
    """A world in which these views are ready."""
    made = SeamWorld(source)
    made.need(definition=names)
    made.finish()
    return made


def record(made: SeamWorld, key: str, *, ago: int = HOUR) -> Record:
    """A record of that age, received now."""
    raw = {"id": key, "at": format_moment(made.now - ago), "who": "a", "where": "x", "size": 1.0, "ok": None}
    found = contract_of(made.source).check(raw, 0, made.now)
    assert isinstance(found, Record)
    return found


def receive(made: SeamWorld, key: str, *, ago: int = HOUR) -> None:
    """A record goes to the lake, and its message into the queue of the stream."""
    made.receive([record(made, key, ago=ago)])
    made.work(made.events, made.events.free()).actor.finish()
    made.settle()


def stream(made: SeamWorld) -> Worker:
    """A worker of the stream receives what waits."""
    return made.work(made.features, made.features.free())


def join(made: SeamWorld, *names: str) -> None:
    """From now on these views are needed, and who says so has refreshed the live views."""
    made.need(definition=names)
    made.refresh().finish()
    made.settle()


def planned(made: SeamWorld, asked: Mapping[str, Any] | None = None) -> Execution:
    """A backfill that is about to fill its parts."""
    execution = Execution(asked or {})
    made.executions.append(execution)
    made.settle()
    execution.tasks["plan"][0].finish()
    made.settle()
    return execution


def filled(made: SeamWorld) -> Actor:
    """A backfill that has filled its parts; its publication begins with the next turn."""
    execution = planned(made)
    while "publish" not in execution.tasks:
        for actor, _ in [*execution.tasks.values()]:
            actor.finish()
        made.settle()
    return execution.tasks["publish"][0]


def backfill(made: SeamWorld) -> None:
    """A whole backfill."""
    filled(made).finish()
    made.settle()


def ready(made: SeamWorld) -> Collection[str]:
    """The names of the versions that are ready; each is held against a batch computation."""
    found = made.check()
    return {name for name, view in made.versions.items() if id_of(view) in found}


def is_right(made: SeamWorld, name: str) -> bool:
    """Whether a view's states are those of a batch computation."""
    try:
        made.check_view(made.versions[name])
    except AssertionError:
        return False
    return True


@pytest.mark.parametrize("position", ["documents.get", "store.markers", "store.read", "store.commit"])
def test_a_stream_worker_that_does_not_know_a_view_loses_nothing(position: str) -> None:
    """Wherever it was delayed: the view that joined has the record at once, the one that was live when rebuilt."""
    made = world("kept")
    receive(made, "k")
    slow = stream(made)
    slow.actor.until(position)
    join(made, "kept", "long")
    backfill(made)
    slow.actor.finish()
    made.settle()
    assert made.live().not_ready([made.versions["long"]]) == []
    assert is_right(made, "long")
    assert is_right(made, "kept") == (not made.rebuilds.messages), "only until the rebuild queue is worked"
    made.drain()
    assert ready(made) == {"kept", "long"}


def test_a_record_that_is_claimed_between_two_commits_is_not_lost() -> None:
    """A worker commits one transaction, a view joins and is filled, and its second transaction meets the claim."""
    made = world("kept")
    made.receive([record(made, f"k{n}") for n in range(150)])
    made.work(made.events, made.events.free()).actor.finish()
    made.settle()
    slow = stream(made)
    slow.actor.until("store.commit", 2)
    assert made.store.marked, "the first transaction is written"
    join(made, "kept", "long")
    backfill(made)
    made.drain()
    assert ready(made) == {"kept", "long"}


def test_a_process_reads_the_live_views_for_every_batch() -> None:
    """A process that worked before a view joined knows it when it receives its next messages."""
    made = world("kept")
    receive(made, "before")
    warm = stream(made)
    warm.actor.finish()
    made.settle()
    join(made, "kept", "long")
    backfill(made)
    receive(made, "after")
    assert stream(made).live is warm.live
    made.drain()
    assert not made.rebuilds.messages
    assert ready(made) == {"kept", "long"}


@pytest.mark.parametrize("what", [{}, {"digests": {"b": ""}}], ids=["all", "digests"])
@pytest.mark.parametrize("dies", [False, True])
def test_a_rebuild_that_does_not_know_a_view_is_repeated(what: dict[str, object], *, dies: bool) -> None:
    """It marks a record that came after the view was filled: the stream will not add it, so the rebuild has to."""
    made = world("kept")
    receive(made, "a")
    made.drain()
    made.rebuilds.send([{"source": made.source.name, **what}])
    slow = made.work(made.rebuilds, made.rebuilds.free())
    slow.actor.until("lake.snapshot")
    join(made, "kept", "long")
    backfill(made)
    receive(made, "b")
    slow.actor.until("store.mark")
    slow.actor.step()
    stream(made).actor.finish()
    made.settle()
    if dies:
        slow.actor.kill()
    made.drain()
    assert ready(made) == {"kept", "long"}


@pytest.mark.parametrize("position", ["store.read", "store.commit"])
def test_a_slow_part_does_not_take_back_a_correction(position: str) -> None:
    """It computes as of its beginning; meanwhile the only record of an entity is moved to another, and stays there."""
    made = world("kept", source="on_arrival")
    receive(made, "k")
    made.drain()
    execution = planned(made, {"views": ["two"]})
    execution.tasks["fill 0"][0].until(position)
    made.pass_time(made.now + 10 * MINUTE)
    moved = record(made, "k")
    moved = replace(moved, values={**moved.values, "who": "b|c"})
    made.receive([moved])
    made.drain()
    assert ready(made) == {"kept"}
    made.backfill()
    made.drain()
    assert ready(made) == {"kept"}


def test_a_view_that_left_and_joined_again_is_not_published_by_the_old_plan() -> None:
    """Between the two it was kept by nobody; only a backfill that was planned after it joined again makes it ready."""
    made = world("kept")
    receive(made, "a")
    made.drain()
    join(made, "kept", "long")
    late = filled(made).until("documents.get")
    join(made, "kept")
    made.pass_time(made.now + 61 * MINUTE)
    join(made, "kept")
    receive(made, "b")
    made.drain()
    join(made, "kept", "long")
    late.finish()
    made.settle()
    assert ready(made) == {"kept"}
    backfill(made)
    made.drain()
    assert ready(made) == {"kept", "long"}


def test_a_view_that_is_needed_again_within_the_hour_was_kept_all_along() -> None:
    """It is ready without a backfill, and has the records that came while nobody needed it."""
    made = world("kept", "long")
    join(made, "kept")
    receive(made, "a")
    made.pass_time(made.now + 59 * MINUTE)
    join(made, "kept")
    receive(made, "b")
    join(made, "kept", "long")
    made.drain()
    assert ready(made) == {"kept", "long"}


def test_a_claimed_record_that_is_not_known_yet_counts_when_it_is() -> None:
    """It is not sent again with a delay of a quarter of an hour, as a correction is: a rebuild counts it beforehand."""
    made = world("kept", source="later")
    receive(made, "k", ago=30 * MINUTE)
    slow = stream(made)
    slow.actor.until("store.commit")
    join(made, "kept", "long")
    backfill(made)
    slow.actor.finish()
    made.settle()
    while made.rebuilds.free():
        made.work(made.rebuilds, made.rebuilds.free()).actor.finish()
        made.settle()
    made.pass_time(made.now + 40 * MINUTE)
    assert ready(made) == {"kept", "long"}
    made.drain()
    assert ready(made) == {"kept", "long"}
    assert not made.features.messages


def test_versions_of_one_view_live_side_by_side() -> None:
    """Other windows, another entity: each has its own states, and all of them all records."""
    made = world("short")
    receive(made, "a")
    made.drain()
    made.need(definition=["placed"], version=["short", "long"])
    made.finish()
    receive(made, "b")
    made.drain()
    assert ready(made) == {"short", "long", "placed"}
    assert {key.entity for key in made.store.states} == {"a", "a|x"}
    assert len({key.version for key in made.store.states}) == 3


@pytest.mark.parametrize("what", [{}, {"digests": {"a": ""}}, {"due": True}, {"set_aside": [["one", "a", "v"]]}])
def test_a_rebuild_without_live_views_has_nothing_to_do(what: dict[str, object]) -> None:
    """A request that waited until the last view of its source had left writes nothing, and fails nobody."""
    made = world("kept")
    receive(made, "a")
    made.drain()
    join(made)
    made.pass_time(made.now + 61 * MINUTE)
    join(made)
    before = dict(made.store.states)
    made.rebuilds.send([{"source": made.source.name, **what}])
    made.drain()
    assert made.store.states == before
    assert not made.rebuilds.messages


def test_a_part_of_a_view_that_has_left_fills_nothing() -> None:
    """A plan may be carried out after its view, the last one of the source, was dropped."""
    made = world()
    made.receive([record(made, "a")])
    made.drain()
    join(made, "long")
    execution = planned(made)
    join(made)
    made.pass_time(made.now + 61 * MINUTE)
    join(made)
    while not execution.is_over:
        for actor, _ in [*execution.tasks.values()]:
            actor.finish()
        made.settle()
    assert not made.store.states
    assert not made.live().by_id
