"""Dropped files beside messages: each rebuilds the entities that it touches, and all end where the definition does."""

from collections.abc import Sequence
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smallbox.messages.rebuilds import RebuildRequest
from smallbox.records import Record
from smallbox.times import DAY
from tests.properties.histories import SOURCES, START, histories
from tests.properties.test_stream import END, World

names = pytest.mark.parametrize("name", SOURCES)


def rebuild(world: World, file: Sequence[Record], now: int, crash: int | None = None) -> None:
    """Do the request of a file."""
    world.requests.append(RebuildRequest(world.source.name, {record.key: record.digest for record in file}))
    world.settle(now, crash)


@names
@settings(max_examples=40)
@given(data=st.data())
def test_files_rebuild_what_they_touch(name: str, data: st.DataObject) -> None:
    """Two files of an entity at once, beside the stream, in any order, again, and by workers that die."""
    world, history = World(name), data.draw(histories(SOURCES[name]))
    now = max([START, *(r.received_at for r in history)])
    size = data.draw(st.integers(1, 5))
    parts = [history[start : start + size] for start in range(0, len(history), size)]
    files = data.draw(st.lists(st.sampled_from(range(len(parts))), unique=True)) if parts else []
    world.receive(history)
    crashes = st.one_of(st.none(), st.integers(0, 3))
    for at in data.draw(st.permutations(range(len(parts)))):
        if data.draw(st.booleans()) and files:
            other = parts[data.draw(st.sampled_from(files))]
            world.store.meanwhile.append(partial(rebuild, world, other, now))
        if at in files:
            rebuild(world, parts[at], now, data.draw(crashes))
        else:
            world.stream(parts[at], now, data.draw(crashes))
    world.store.meanwhile.clear()
    for moment in (now, now + 3 * DAY, max(now, END)):
        world.settle(moment)
        world.settle(moment)
        world.check(history, moment)
