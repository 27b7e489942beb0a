"""Views join and leave while records flow: all workers of the features, each stopped before every access to a port."""

import itertools
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any, Final

import numpy as np

from smallbox.define import Attributes
from smallbox.define.attributes import View
from smallbox.define.project import Project
from smallbox.errors import NotFound
from smallbox.features.attributes.state import ATTRIBUTE_STATES
from smallbox.features.backfill import BackfillTask
from smallbox.features.live_views import LiveViews, LiveViewStore, ViewVersion, id_of
from smallbox.features.online.states import state_key
from smallbox.features.rebuild import RebuildTask, group_of
from smallbox.features.stream import StreamTask
from smallbox.features.windows.state import WINDOW_STATES
from smallbox.lake.names import records_table
from smallbox.lake.schemas import records_to_table
from smallbox.messages.encoded import Message
from smallbox.messages.rebuilds import rebuild_due, rebuild_loaded
from smallbox.messages.records import pack_records
from smallbox.records import Record
from smallbox.registry.contracts import Contracts
from smallbox.registry.store import Registry
from smallbox.times import DAY, HOUR, Micros
from tests.fakes.actors import Actor, Gated
from tests.fakes.documents import FakeDocuments
from tests.fakes.lake import FakeLake
from tests.fakes.online import FakeOnlineStore
from tests.properties import oracle
from tests.properties.histories import SOURCES, START
from tests.properties.seam_queues import Execution, Inbox, Waiting, Worker, is_over_well, next_tasks, take_result
from tests.properties.seam_views import VERSIONS, entities_of_view, stands

LIFE: Final[Micros] = 20 * HOUR
"""A worker that lives longer is killed: far beyond what a function may live, but within the margin of a marker."""


class _Asked(LiveViewStore):
    """Live views that are refreshed with what the world needs."""

    def __init__(self, documents: Any, needs: Callable[[], Mapping[str, Sequence[View]]]) -> None:
        super().__init__(documents)
        self._needs = needs

    def refresh(self, needs: object, now: Micros) -> LiveViews:
        del needs
        return super().refresh(self._needs, now)


class SeamWorld:
    """One source; the definition and a live version that need some of its view versions; and everybody who works."""

    def __init__(self, name: str) -> None:
        self.source, self.versions = SOURCES[name], VERSIONS[name]
        self.project = Project({name: self.source}, {}, {})
        self.now, self.looked_at = START, START
        self.lake, self.store, self.documents = FakeLake(), FakeOnlineStore(), FakeDocuments()
        self.events, self.features, self.rebuilds = Inbox(), Inbox(), Inbox()
        self.needs: dict[str, Sequence[View]] = {"definition": ()}
        self.workers: list[Worker] = []
        self.refreshes: list[tuple[Actor, Micros]] = []
        self.executions: list[Execution] = []
        self.history: list[Record] = []
        self._idle: list[LiveViewStore] = []
        self.gates = {
            "lake": Gated("lake", self.lake),
            "store": Gated("store", self.store),
            "documents": Gated("documents", self.documents),
            "features": Gated("features", self.features),
            "rebuilds": Gated("rebuilds", self.rebuilds),
        }

    # --- who works

    def need(self, **names: Sequence[str]) -> None:
        """From now on these view versions are needed, by who needs them."""
        self.needs = {who: tuple(self.versions[name] for name in some) for who, some in names.items()}

    def live(self) -> LiveViews:
        """The live views now."""
        return LiveViewStore(self.documents).read()

    def live_store(self) -> LiveViewStore:
        """A process's own memory of the live views."""
        return _Asked(self.gates["documents"], lambda: self.needs)

    def refresh(self) -> Actor:
        """Who changes what serves lets views join and leave."""
        store, now = self.live_store(), self.now
        actor = Actor(lambda: store.refresh(dict, now))
        self.refreshes.append((actor, self.now))
        return actor

    def receive(self, records: Sequence[Record], *, as_file: bool = False) -> None:
        """Records arrive: by themselves, or in a file."""
        self.events.send([{"records": [*records], "is_file": as_file}])

    def work(self, queue: Inbox, some: Sequence[Waiting]) -> Worker:
        """A worker receives messages; other workers may hold them too."""
        live = self._idle.pop() if self._idle else self.live_store()
        contents, now = [one.content for one in some], self.now
        task = {id(self.events): self._append, id(self.features): self._stream, id(self.rebuilds): self._rebuild}
        work = task[id(queue)]
        for one in some:
            one.holders += 1
        worker = Worker(queue, some, Actor(lambda: work(contents, live, now)), now, live)
        self.workers.append(worker)
        return worker

    def _append(self, events: Sequence[Message], _live: LiveViewStore, _now: Micros) -> None:
        """As ``ingestion/append`` and ``ingestion/load``: the lake first; forwarded if a live view reads the source."""
        for event in events:
            records, lake = event["records"], self.gates["lake"]
            before = lake.version(records_table(self.source))
            lake.append(records_table(self.source), records_to_table(self.source, records))
            self.history += records
            if not LiveViewStore(self.gates["documents"]).read().of_source(self.source.name):
                continue
            if event["is_file"]:
                after = -1 if before is None else before
                for at in {record.received_at for record in records}:
                    self.gates["rebuilds"].send([rebuild_loaded(self.source.name, at, after)])
            else:
                self.gates["features"].send(pack_records(records))

    def _stream(self, messages: Sequence[Message], live: LiveViewStore, now: Micros) -> None:
        queues: tuple[Any, Any] = self.gates["features"], self.gates["rebuilds"]
        StreamTask(self.project, live, self.gates["store"], *queues, _no_pause).apply(messages, now)

    def _rebuild(self, messages: Sequence[Message], live: LiveViewStore, now: Micros) -> None:
        later: Any = self.gates["rebuilds"]
        task = RebuildTask(self.project, live, self.gates["lake"], self.gates["store"], later, _no_pause)
        groups = itertools.groupby(sorted(messages, key=group_of), key=group_of)
        for _, group in groups:
            task.run([*group], now)

    def _backfiller(self) -> BackfillTask:
        gates: Any = self.gates
        documents = gates["documents"]
        return BackfillTask(
            self.project,
            Registry(documents),
            Contracts(FakeDocuments()),
            self.live_store(),
            gates["lake"],
            gates["store"],
            gates["rebuilds"],
            _no_pause,
        )

    # --- turns

    def actors(self) -> list[Actor]:
        """Everybody who is at work."""
        of_executions = [actor for one in self.executions for actor, _ in one.tasks.values()]
        return [*(w.actor for w in self.workers), *(actor for actor, _ in self.refreshes), *of_executions]

    def settle(self) -> None:
        """What the queues and the state machine do after a turn: take back, acknowledge, start the next task."""
        for worker in [w for w in self.workers if w.actor.is_done]:
            self.workers.remove(worker)
            self._return(worker)
        for actor, _ in self.refreshes:
            is_over_well(actor)
        self.refreshes = [(actor, begun) for actor, begun in self.refreshes if not actor.is_done]
        for execution in self.executions:
            self._go_on(execution)
        self.executions = [one for one in self.executions if not one.is_over]

    def _return(self, worker: Worker) -> None:
        for one in worker.held:
            one.holders -= 1
        if is_over_well(worker.actor):
            self._idle.append(worker.live)
            done = [one for one in worker.held if one in worker.queue.messages]
            worker.queue.worked += done
            worker.queue.messages = [one for one in worker.queue.messages if one not in done]

    def _go_on(self, execution: Execution) -> None:
        for name, (actor, _) in [*execution.tasks.items()]:
            if actor.is_done:
                del execution.tasks[name]
                if isinstance(actor.error, NotFound):
                    execution.is_over = True  # it was asked for a view that has left
                elif is_over_well(actor):
                    take_result(execution, name, actor.result)
        for name, document in next_tasks(execution):
            if name not in execution.tasks:
                step = name.split(" ")[0]
                execution.tasks[name] = Actor(partial(self._backfiller().run, step, document, self.now)), self.now

    def pass_time(self, now: Micros) -> None:
        """The clock goes on; who has lived too long is gone, and markers expire."""
        self.now = max(self.now, now)
        old = [w.actor for w in self.workers if w.begun + LIFE < self.now]
        old += [actor for actor, begun in self.refreshes if begun + LIFE < self.now]
        old += [a for one in self.executions for a, begun in one.tasks.values() if begun + LIFE < self.now]
        for actor in old:
            actor.kill()
        self.settle()
        self.store.expire(self.now)

    def drain(self) -> None:
        """Let the workers of the queues go on until nothing waits; refreshes and backfills stay where they are."""
        days = range(self.looked_at + DAY, self.now, DAY)
        self.rebuilds.send([{**rebuild_due(self.source.name), "as_of": day} for day in (*days, self.now)])
        self.looked_at = self.now
        for _ in range(2):
            self._empty()
            for queue in (self.features, self.rebuilds):
                for one in queue.messages:
                    one.is_delayed = False
        self._empty()

    def _empty(self) -> None:
        while True:
            for worker in [*self.workers]:
                worker.actor.finish()
            self.settle()
            waiting = [(queue, queue.free()) for queue in (self.events, self.features, self.rebuilds) if queue.free()]
            if not waiting:
                return
            queue, free = waiting[0]
            self.work(queue, free[:1])

    def finish(self) -> None:
        """Everybody comes to an end, and whatever is needed is filled."""
        for actor, _ in self.refreshes:
            actor.finish()
        self.executions.append(Execution())
        self.backfill()
        self.drain()

    def backfill(self) -> None:
        """All backfills come to an end, while everybody else stays where they are."""
        self.settle()
        while self.executions:
            for execution in self.executions:
                for actor, _ in [*execution.tasks.values()]:
                    actor.finish()
            self.settle()

    # --- what is true

    def check(self) -> Collection[ViewVersion]:
        """Each ready view answers for every entity as the definition says; which these are."""
        live = self.live()
        ready = {id_ for id_, one in live.by_id.items() if one.is_ready}
        for view in self.versions.values():
            if id_of(view) in ready:
                self.check_view(view)
        return ready

    def check_view(self, view: View) -> None:
        """One view's states are those of a batch recomputation."""
        entities = [*dict.fromkeys(entities_of_view(view))]
        stored = self.store.read([state_key(view, entity) for entity in entities])
        packed = [stored[key].packed if key in stored else None for key in (state_key(view, e) for e in entities)]
        if isinstance(view, Attributes):
            for entity, one in zip(entities, packed, strict=True):
                state = None if one is None else ATTRIBUTE_STATES.unpack(view, one)
                numbers, texts = stands(self.history, entity, view, self.now)
                np.testing.assert_array_equal(ATTRIBUTE_STATES.numbers(view, state, self.now), numbers)
                assert ATTRIBUTE_STATES.texts(view, state, self.now) == texts
            return
        states = [None if one is None else WINDOW_STATES.unpack(view, one) for one in packed]
        found = np.array([WINDOW_STATES.numbers(view, state, self.now) for state in states])
        oracle.check(view, found, [oracle.features(view, self.history, e, self.now) for e in entities])


def _no_pause(_: int) -> None:
    """Others take turns anyway."""
