"""The seam between a backfill and the stream: views change while records keep coming."""

from collections.abc import Sequence
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smallbox.define import FeatureView, Source, count, last, mean
from smallbox.features.online.rebuilder import EntityShard
from smallbox.features.online.states import version_of
from smallbox.messages.rebuilds import RebuildRequest
from smallbox.records import Record
from smallbox.times import DAY
from tests.fakes.online import Crash
from tests.properties.histories import SOURCES, START, VIEWS, histories
from tests.properties.test_stream import END, World

names = pytest.mark.parametrize("name", SOURCES)
PARTS = 2


def changed(source: Source) -> FeatureView:
    """The first view as a deployment changes it: other windows, longer and shorter, under the same name."""
    features = {
        "n_2h": count("2h"),
        "n_11d": count("11d"),
        "size_12d": mean("size", "12d"),
        "last": last("size", "11d"),
    }
    return FeatureView(f"{source.name}_one", "who", source, features, tile="10m")


def fill(world: World, view: FeatureView, now: int, crash: int | None, *, whole: bool) -> None:
    """Fill every part, each once more when it dies; what is known only later is asked again."""
    for number in range(PARTS):
        world.store.crash_after(crash)
        try:
            filled = world.rebuilder.fill([view], EntityShard(number, PARTS), now, whole=whole)
        except Crash:
            world.store.crash_after(None)
            filled = world.rebuilder.fill([view], EntityShard(number, PARTS), now, whole=whole)
        finally:
            world.store.crash_after(None)
        world.requests.append(RebuildRequest(world.source.name, filled.later))


@names
@settings(max_examples=60)
@given(data=st.data())
def test_nothing_is_missed_or_counted_twice_at_the_seam(name: str, data: st.DataObject) -> None:
    """Old views, expired markers, a changed view: a backfill before, amid and after messages ends where it should."""
    source = SOURCES[name]
    old, kept = VIEWS[name][0], VIEWS[name][1]
    history = data.draw(histories(source))
    deployed = data.draw(st.integers(0, len(history)))
    world = World(name, (old, kept))
    waiting = []
    for at, record in enumerate(history[:deployed]):
        now = max(record.received_at, START)
        world.receive([record])
        world.store.expire(now)
        if data.draw(st.booleans()):
            world.stream([record], now)
            world.settle(now)
        else:
            waiting.append(at)
    new = changed(source)
    assert version_of(new) != version_of(old)
    world = world.redefined((new, kept))
    now = max([START, *(r.received_at for r in history)])
    world.receive(history[deployed:])
    messages = [[history[at]] for at in data.draw(st.permutations([*waiting, *range(deployed, len(history))]))]
    before = data.draw(st.integers(0, len(messages)))
    amid = data.draw(st.integers(before, len(messages)))
    _stream(world, messages[:before], now)
    world.store.meanwhile += [partial(world.stream, message, now) for message in messages[before:amid]]
    fill(world, new, now, data.draw(st.one_of(st.none(), st.integers(0, 3))), whole=False)
    unseen = len(world.store.meanwhile)
    world.store.meanwhile.clear()
    _stream(world, messages[amid - unseen :], now)
    for moment in (now, now + 3 * DAY, max(now, END)):
        world.store.expire(moment)
        world.settle(moment)
        world.settle(moment)
        world.check(history, moment)


def _stream(world: World, messages: Sequence[Sequence[Record]], now: int) -> None:
    for message in messages:
        world.stream(message, now)
        world.settle(now)


def _arrive(world: World, records: Sequence[Record], now: int) -> None:
    world.receive(records)
    world.stream(records, now)


@names
@settings(max_examples=30)
@given(data=st.data())
def test_a_first_view_takes_what_no_stream_has_seen(name: str, data: st.DataObject) -> None:
    """Where a source had no view, what the lake holds is taken as it is, and what comes meanwhile counts once."""
    source = SOURCES[name]
    history = data.draw(histories(source))
    split = data.draw(st.integers(0, len(history)))
    now = max([START, *(r.received_at for r in history)])
    world = World(name, (changed(source),))
    world.receive(history[:split])
    world.store.meanwhile += [partial(_arrive, world, [record], now) for record in history[split:]]
    fill(world, changed(source), now, data.draw(st.one_of(st.none(), st.integers(0, 3))), whole=True)
    rest = history[len(history) - len(world.store.meanwhile) :]
    world.store.meanwhile.clear()
    world.receive(rest)
    _stream(world, [[record] for record in rest], now)
    for moment in (now, max(now, END)):
        world.settle(moment)
        world.settle(moment)
        world.check(history, moment)
