"""The stream engine against the definition: any order, any batches, any crash."""

from collections.abc import Collection, Sequence
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smallbox.define.attributes import Attributes, View
from smallbox.features.online.apply import apply_records
from smallbox.features.online.rebuild_keys import keys_named
from smallbox.features.online.rebuilder import Rebuilder
from smallbox.features.online.recompute import recompute
from smallbox.features.online.states import state_key
from smallbox.features.windows.batch import point_in_time
from smallbox.features.windows.state import WINDOW_STATES
from smallbox.features.windows.window_edges import max_lead
from smallbox.lake.names import records_table
from smallbox.lake.schemas import records_to_table
from smallbox.messages.rebuilds import RebuildRequest, rebuild_due
from smallbox.ports import StateKey
from smallbox.records import Record
from smallbox.times import DAY
from tests.fakes.lake import FakeLake
from tests.fakes.online import Crash, FakeOnlineStore
from tests.properties import oracle
from tests.properties.histories import SOURCES, SPAN, START, VIEWS, histories
from tests.properties.test_point_in_time import entities_of

names = pytest.mark.parametrize("name", SOURCES)
END = START + SPAN + 13 * DAY


def no_pause(attempt: int) -> None:
    """Does not wait."""


class World:
    """A source with its lake and store, whose workers may die at any write and are then run again."""

    def __init__(self, name: str, views: Sequence[View] = ()) -> None:
        self.source = SOURCES[name]
        self.views: Sequence[View] = views or VIEWS[name]
        self.lake, self.store = FakeLake(), FakeOnlineStore()
        self.waiting: list[Record] = []
        self.requests: list[RebuildRequest] = []
        self.looked_at: int | None = None
        """When it was last asked what has come near enough for the states."""

    @property
    def rebuilder(self) -> Rebuilder:
        """A rebuild of all views."""
        return Rebuilder(self.source, self.views, self.lake, self.store, no_pause)

    def receive(self, records: Sequence[Record]) -> None:
        """Records go to the lake before the stream sees them."""
        self.lake.append(records_table(self.source), records_to_table(self.source, records))

    def stream(self, records: Sequence[Record], now: int, crash: int | None = None) -> None:
        """Apply one message until it is done."""
        self.store.crash_after(crash)
        try:
            outcome = apply_records(self.source, self.views, records, self.store, now=now, pause=no_pause)
        except Crash:
            self.stream(records, now)
            return
        finally:
            self.store.crash_after(None)
        self.waiting += outcome.early
        self.requests += [outcome.rebuild] if outcome.rebuild else []

    def settle(self, now: int, crash: int | None = None) -> None:
        """Run what is due each day, requests for rebuilds, and what waited to be known; once more what is not done."""
        since = now if self.looked_at is None else min(self.looked_at + DAY, now)
        for day in (*range(since, now, DAY), now):
            self.rebuilder.correct(keys_named(self.source, [rebuild_due(self.source.name)], self.lake, day), day)
        self.looked_at = now
        waiting, self.waiting = self.waiting, []
        if waiting:
            self.stream(waiting, now)
        requests, self.requests = self.requests, []
        for request in requests:
            if not self._corrected(request, now, crash):
                self.requests.append(request)

    def _corrected(self, request: RebuildRequest, now: int, crash: int | None) -> bool:
        self.store.crash_after(crash)
        try:
            return not self.rebuilder.correct(request.digests, now).later
        except Crash:
            return self._corrected(request, now, None)
        finally:
            self.store.crash_after(None)

    def check(self, history: Sequence[Record], now: int, without: Collection[StateKey] = ()) -> None:
        """Every state of windows answers as the definition says; some are left out."""
        for view in self.views:
            if isinstance(view, Attributes):
                continue
            entities = [e for e in entities_of(len(view.entity_fields) - 1) if state_key(view, e) not in without]
            stored = self.store.read([state_key(view, entity) for entity in entities])
            states = {key.entity: WINDOW_STATES.unpack(view, found.packed) for key, found in stored.items()}
            found = np.array([WINDOW_STATES.numbers(view, states.get(entity), now) for entity in entities])
            oracle.check(view, found, [oracle.features(view, history, entity, now) for entity in entities])
            moments = np.full(len(entities), now, np.int64)
            batch = point_in_time(view, records_to_table(self.source, history), entities, moments)
            np.testing.assert_array_equal(found, batch)


@names
@settings(max_examples=60)
@given(data=st.data())
def test_stream_equals_the_definition(name: str, data: st.DataObject) -> None:
    """Shuffled, batched, duplicated, corrected and crashed, the stream ends where the definition does."""
    world = World(name)
    history = data.draw(histories(world.source))
    world.receive(history)
    order = data.draw(st.permutations(history))
    now = max([START, *(r.received_at for r in history)])
    crashes = st.one_of(st.none(), st.integers(0, 3))
    while order:
        size = data.draw(st.integers(1, 6))
        world.stream(order[:size], now, data.draw(crashes))
        if data.draw(st.booleans()):
            world.settle(now, data.draw(crashes))
        order = order[size:]
    for moment in (now, now + 3 * DAY, max(now, END)):
        world.settle(moment, data.draw(crashes))
        world.settle(moment)
        world.check(history, moment)


@names
@settings(max_examples=40)
@given(data=st.data())
def test_workers_at_once_count_everything_once(name: str, data: st.DataObject) -> None:
    """Workers that write between any two writes of each other, messages overlapping, end where the definition does."""
    world = World(name)
    history = data.draw(histories(world.source))
    world.receive(history)
    now = max([START, *(r.received_at for r in history)])
    messages = st.lists(st.sampled_from(history), max_size=5, unique_by=id) if history else st.just([])
    for start in range(0, len(history), 5):
        for message in data.draw(st.lists(messages, max_size=4)):
            world.store.meanwhile.append(partial(world.stream, message, now))
        if data.draw(st.booleans()):
            world.store.meanwhile.append(partial(world.settle, now))
        world.stream(history[start : start + 5], now, data.draw(st.one_of(st.none(), st.integers(0, 3))))
    world.store.meanwhile.clear()
    for moment in (now, now + 3 * DAY, max(now, END)):
        world.settle(moment)
        world.settle(moment)
        world.check(history, moment)


@names
@settings(max_examples=20)
@given(data=st.data())
def test_stream_equals_the_definition_all_along(name: str, data: st.DataObject) -> None:
    """With time passing between messages and markers expiring, every state is right after each message."""
    world = World(name)
    history = data.draw(histories(world.source))
    for at, record in enumerate(history):
        now = record.received_at + data.draw(st.sampled_from([0, DAY // 24]))
        now = now if at + 1 == len(history) else min(now, history[at + 1].received_at)
        world.receive([record])
        world.store.expire(now)
        world.stream([record], now)
        world.settle(now)
        world.check(history[: at + 1], now)


@names
@settings(max_examples=40)
@given(data=st.data())
def test_materialized_equals_streamed(name: str, data: st.DataObject) -> None:
    """A store filled from the lake, with messages still on their way, ends where the definition does."""
    world = World(name)
    history = data.draw(histories(world.source))
    split = data.draw(st.integers(0, len(history)))
    now = max([START, *(r.received_at for r in history)])
    world.receive(history[:split])
    world.stream(history[: split // 2], now)
    world.rebuilder.materialize(now)
    world.receive(history[split:])
    world.stream(history[split // 2 :], now)
    for moment in (now, max(now, END)):
        world.settle(moment)
        world.check(history, moment)


@names
@settings(max_examples=40)
@given(data=st.data())
def test_rebuild_equals_adding(name: str, data: st.DataObject) -> None:
    """A state rebuilt from rows has the value of one to which the records were added, and survives packing."""
    source, view = SOURCES[name], VIEWS[name][0]
    drawn = {r.key: r for r in data.draw(histories(source))}.values()
    history = [r for r in drawn if r.time - r.received_at < max_lead(source)]
    now = max([START, *(r.received_at for r in history)])
    rebuilt = recompute(view, records_to_table(source, history), now) if history else {}
    for entity in entities_of(0):
        own = [r for r in history if view.entity_of(r.values) == entity]
        added = WINDOW_STATES.add(view, WINDOW_STATES.empty(view), own, now)
        again = WINDOW_STATES.unpack(view, WINDOW_STATES.pack(view, added))
        assert WINDOW_STATES.pack(view, again) == WINDOW_STATES.pack(view, added)
        for moment in (now, now + 2 * DAY):
            expected = WINDOW_STATES.numbers(view, added, moment)
            np.testing.assert_array_equal(WINDOW_STATES.numbers(view, rebuilt.get(entity), moment), expected)
            np.testing.assert_array_equal(WINDOW_STATES.numbers(view, again, moment), expected)
