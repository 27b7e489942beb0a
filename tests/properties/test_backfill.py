"""The seam: nothing is lost or counted twice when views join and leave while records flow and workers die.

Every worker stops before each access to a port. Others go on meanwhile: they append, apply, rebuild, fill, publish, let
views join and leave, or die. Whenever the queues are empty each ready view answers as a batch computation does.
"""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from smallbox.features import backfill
from smallbox.features.live_views import id_of
from smallbox.ingestion.contract import contract_of
from smallbox.records import Record
from smallbox.times import DAY, HOUR, MINUTE, format_moment
from tests.fakes.actors import Actor
from tests.properties.histories import SOURCES
from tests.properties.seam import SeamWorld
from tests.properties.seam_queues import Execution, Inbox
from tests.properties.seam_views import VERSIONS

LEADS = {
    "on_arrival": [DAY, 3 * DAY, 9 * DAY],
    "at_once": [DAY],
    "later": [HOUR, 2 * DAY - HOUR],
    "before": [HOUR, DAY, 2 * DAY],
}
AGES = [0, MINUTE, 20 * MINUTE, 3 * HOUR, 26 * HOUR, 10 * DAY - MINUTE, 11 * DAY, 12 * DAY]
NAMES = sorted(VERSIONS["at_once"])
numbers = st.integers(0, 11)


class Seam(RuleBasedStateMachine):
    """What may happen, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self._patch = pytest.MonkeyPatch()
        self._patch.setattr(backfill, "ROWS_PER_PART", 3)

    @initialize(name=st.sampled_from(sorted(SOURCES)), first=st.sets(st.sampled_from(NAMES)), count=st.integers(0, 5))
    def begin(self, name: str, first: set[str], count: int) -> None:
        """Some views are ready from the start; others may have left already, with records since."""
        self.world = SeamWorld(name)
        self.world.need(definition=sorted(first))
        self.world.finish()
        self.sent = 0
        for _ in range(count):
            self._send([self._record(self.sent % 4, AGES[self.sent % len(AGES)], "a", "x")], as_file=False)

    def _record(self, key: int, age: int, who: str, where: str) -> Record:
        self.sent += 1
        now = self.world.now
        raw: dict[str, Any] = {"id": "klmnop"[key], "at": format_moment(now - age), "who": who, "where": where}
        raw |= {"size": self.sent / 10, "ok": None}
        found = contract_of(self.world.source).check(raw, 0, now)
        assert isinstance(found, Record)
        return found

    def _send(self, records: Sequence[Record], *, as_file: bool) -> None:
        self.world.receive(records, as_file=as_file)

    @rule(data=st.data(), as_file=st.sampled_from([False, False, False, True]))
    def receive(self, data: st.DataObject, as_file: bool) -> None:  # noqa: FBT001
        """New records, corrections and repetitions, on time, late and early."""
        ages = st.sampled_from([*AGES, *(-lead for lead in LEADS[self.world.source.name])])
        one = st.tuples(st.integers(0, 5), ages, st.sampled_from(["a", "b|c", ""]), st.sampled_from(["x", "y\\"]))
        self._send([self._record(*said) for said in data.draw(st.lists(one, min_size=1, max_size=3))], as_file=as_file)

    def _queues(self) -> list[Inbox]:
        return [self.world.events, self.world.features, self.world.rebuilds]

    @precondition(lambda self: any(queue.free() for queue in self._queues()))
    @rule(which=numbers, many=st.integers(1, 3), turns=numbers)
    def deliver(self, which: int, many: int, turns: int) -> None:
        """A worker receives messages, and begins."""
        queues = [queue for queue in self._queues() if queue.free()]
        queue = queues[which % len(queues)]
        self._turns(self.world.work(queue, queue.free()[:many]).actor, turns)

    @precondition(lambda self: any(queue.messages or queue.worked for queue in self._queues()))
    @rule(which=numbers, position=numbers)
    def deliver_again(self, which: int, position: int) -> None:
        """A message that somebody holds, or that was worked, comes once more."""
        queues = [queue for queue in self._queues() if queue.messages or queue.worked]
        queue = queues[which % len(queues)]
        some = [*queue.messages, *queue.worked]
        self.world.work(queue, [some[position % len(some)]])

    @precondition(lambda self: self.world.actors())
    @rule(which=numbers, turns=st.integers(1, 12))
    def go_on(self, which: int, turns: int) -> None:
        """Somebody makes some accesses."""
        actors = self.world.actors()
        self._turns(actors[which % len(actors)], turns)

    def _turns(self, actor: Actor, turns: int) -> None:
        for _ in range(turns):
            if not actor.is_done:
                actor.step()
        self.world.settle()

    @precondition(lambda self: self.world.actors())
    @rule(which=numbers)
    def kill(self, which: int) -> None:
        """Somebody dies."""
        actors = self.world.actors()
        actors[which % len(actors)].kill()
        self.world.settle()

    @rule(definition=st.sets(st.sampled_from(NAMES)), version=st.sets(st.sampled_from(NAMES)))
    def need(self, definition: set[str], version: set[str]) -> None:
        """A deployment, or another version that serves; who changed it lets views join and leave."""
        self.world.need(definition=sorted(definition), version=sorted(version))
        self.world.refresh()

    @precondition(lambda self: len(self.world.executions) < 2)
    @rule(named=st.none() | st.sampled_from(["one", "two"]), turns=numbers)
    def start_backfill(self, named: str | None, turns: int) -> None:
        """A backfill begins, perhaps beside another; by name it fills again what is ready."""
        known = {one.view.name for one in self.world.live().by_id.values()}
        self.world.executions.append(Execution({"views": [named]} if named in known else {}))
        self.world.settle()
        self._turns(self.world.actors()[-1], turns)

    @rule(joins=st.sampled_from(NAMES))
    def join_at_once(self, joins: str) -> None:
        """A view joins and is filled and published, while everybody else stays where they are."""
        names = {view: name for name, view in self.world.versions.items()}
        before = [names[view] for view in self.world.needs["definition"]]
        self.world.need(definition=sorted({*before, joins}))
        self.world.refresh().finish()
        self.world.executions.append(Execution())
        self.world.backfill()

    @rule(passed=st.sampled_from([MINUTE, 50 * MINUTE, 61 * MINUTE, 61 * MINUTE, 2 * DAY]))
    def pass_time(self, passed: int) -> None:
        """Time passes, sometimes enough for views to be dropped and for markers to expire."""
        self.world.pass_time(self.world.now + passed)

    @rule()
    def drain(self) -> None:
        """Once the queues are empty, whatever is ready is right; backfills and refreshes stay where they are."""
        self.world.drain()
        self.world.check()

    def teardown(self) -> None:
        """In the end all that is needed is ready and right."""
        self._patch.undo()
        if not hasattr(self, "world"):
            return
        self.world.drain()
        self.world.check()
        self.world.finish()
        needed = {id_of(view) for views in self.world.needs.values() for view in views}
        assert needed <= set(self.world.check())


TestSeam = Seam.TestCase
TestSeam.settings = settings(max_examples=50, stateful_step_count=40, deadline=None)
