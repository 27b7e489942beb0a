"""Event times ahead: states stay small, nobody is held up, and what was left out counts when it is due."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from smallbox.define import (
    FeatureView,
    Source,
    count,
    first,
    last,
    maximum,
    mean,
    minimum,
    number,
    std,
    text,
    timestamp,
    total,
)
from smallbox.define.project import Project
from smallbox.define.source import FAR_AHEAD
from smallbox.define.tiles import STATE_LIMIT
from smallbox.features.online.states import state_key
from smallbox.features.rebuild import RebuildTask
from smallbox.features.stream import StreamTask
from smallbox.features.windows.batch import point_in_time
from smallbox.features.windows.state import WINDOW_STATES
from smallbox.ingestion.upkeep import UpkeepTask
from smallbox.lake.names import records_table
from smallbox.lake.schemas import records_to_table
from smallbox.messages.rebuilds import rebuild_due
from smallbox.messages.records import pack_records
from smallbox.records import Record
from smallbox.times import DAY, MINUTE, Micros, format_moment, parse_day
from tests.fakes.edges import FakeQueue
from tests.fakes.lake import FakeLake
from tests.fakes.live import live_sources, live_store
from tests.fakes.online import FakeOnlineStore

NOW = parse_day("2013-01-15")
meters = Source("meters", "id", "at", {"id": text(), "at": timestamp(), "who": text(), "x": number()}, known_after=None)
ends = {"low": minimum("x", "3h"), "high": maximum("x", "3h"), "first": first("x", "3h"), "sum": total("x", "3h")}
view = FeatureView(
    "by_who",
    "who",
    meters,
    {"n": count("24h"), "x": mean("x", "3h"), "s": std("x", "3h"), "l": last("x", "3h"), **ends},
)
week = FeatureView("week", "who", meters, {"n_7d": count("7d"), **ends})


class World:
    """A source without ``known_after``, its lake, its store, and the two functions that write states."""

    def __init__(self) -> None:
        self.lake, self.store, self.rebuilds = FakeLake(), FakeOnlineStore(), FakeQueue()
        self.project = Project({"meters": meters}, {"by_who": view, "week": week}, {})
        live = live_store(view, week)
        self.streamer = StreamTask(self.project, live, self.store, FakeQueue(), self.rebuilds, lambda _: None)
        self.task = RebuildTask(self.project, live, self.lake, self.store, self.rebuilds, lambda _: None)

    def send(self, records: Sequence[Record], now: Micros = NOW) -> None:
        """Records to the lake, then to the stream, then what the stream asks for."""
        self.lake.append(records_table(meters), records_to_table(meters, records))
        for message in pack_records(records):
            self.streamer.apply([message], now)
        self.rebuild(now)

    def rebuild(self, now: Micros) -> None:
        """Do what was asked of the rebuild."""
        waiting = self.rebuilds.take()
        if waiting:
            self.task.run(waiting, now)

    def upkeep(self, now: Micros) -> None:
        """The daily run, and what it asks for."""
        UpkeepTask(self.project, live_sources(self.project), self.lake, self.rebuilds).run({}, now)
        assert rebuild_due("meters") in self.rebuilds.messages
        self.rebuild(now)

    def online_is_batch(self, who: str, now: Micros) -> float:
        """How many records count now, after online and batch were held against each other."""
        table = self.lake.read(records_table(meters))
        assert table is not None
        for one in (view, week):
            key = state_key(one, who)
            state = WINDOW_STATES.unpack(one, self.store.states[key].packed) if key in self.store.states else None
            batch = point_in_time(one, table, [who], np.array([now], np.int64))[0]
            np.testing.assert_array_equal(WINDOW_STATES.numbers(one, state, now), batch)
        return float(batch[0])


def readings(who: str, times: Sequence[Micros], received_at: Micros = NOW) -> list[Record]:
    """A reading at each of these times."""
    random = np.random.default_rng(len(times))
    return [
        Record("meters", f"{who} {t}", t, received_at, received_at, {"id": f"{who} {t}", "at": t, "who": who, "x": x})
        for t, x in zip(times, random.normal(size=len(times)).tolist(), strict=True)
    ]


def every_five_minutes(since: Micros, days: int) -> list[Micros]:
    """The moments of some days, five minutes apart."""
    return list(range(since, since + days * DAY, 5 * MINUTE))


def test_a_clock_ten_years_ahead_grows_no_state() -> None:
    """A sender whose clock is ten years ahead for 37 days; then its times come, and count as in batch."""
    world, start = World(), NOW + FAR_AHEAD - 38 * DAY
    right = readings("right", [NOW - MINUTE * n for n in range(9)])
    world.send([*readings("wrong", every_five_minutes(start, 37)), *right])
    assert max(len(state.packed) for state in world.store.states.values()) < 2_000
    assert world.online_is_batch("right", NOW + DAY) == 9
    assert world.online_is_batch("wrong", NOW + DAY) == 0
    for day in range(8):
        world.upkeep(start + day * DAY)
        world.online_is_batch("wrong", start + day * DAY + DAY - 1)
    assert world.online_is_batch("wrong", start + 8 * DAY - 1) >= 7 * 288


def test_five_minute_tiles_of_37_days_ahead_hold_nobody_up() -> None:
    """Fifty good records in the messages of one entity that runs 37 days ahead are all applied; so is a rebuild."""
    world = World()
    ahead = readings("ahead", every_five_minutes(NOW, 37))
    good = [record for n in range(50) for record in readings(f"good {n}", [NOW - MINUTE])]
    for at, record in enumerate(good):
        world.send([*ahead[at * 200 : at * 200 + 200], record])
    world.send(ahead[10_000:])
    world.task.run([{"source": "meters"}], NOW)
    assert [world.online_is_batch(f"good {n}", NOW + DAY // 2) for n in range(50)] == [1.0] * 50
    assert all(len(state.packed) <= STATE_LIMIT for state in world.store.states.values())
    for day in range(7):
        assert world.online_is_batch("ahead", NOW + day * DAY) == day * 288
        world.upkeep(NOW + day * DAY)


def test_a_missed_day_is_made_up_for() -> None:
    """A record that was left out is put in by the first run after its time, some days late, and only once."""
    world = World()
    world.send(readings("a", [NOW + 5 * DAY]))
    world.upkeep(NOW)
    assert world.online_is_batch("a", NOW + DAY) == 0
    for _ in range(2):
        world.upkeep(NOW + 8 * DAY)
        assert world.online_is_batch("a", NOW + 8 * DAY) == 1


def test_a_correction_of_what_lies_ahead_takes_its_place() -> None:
    """A reading far ahead that is corrected to yesterday counts once, and one moved far ahead no longer."""
    world = World()
    far, near = readings("a", [NOW + 9 * DAY])[0], readings("a", [NOW - DAY])[0]
    world.send([far, near])
    moved = [
        replace(near, time=far.time, received_at=NOW + 1, known_at=NOW + 1, values={**near.values, "at": far.time}),
        replace(far, time=near.time, received_at=NOW + 1, known_at=NOW + 1, values={**far.values, "at": near.time}),
    ]
    world.send(moved, NOW + 1)
    assert world.online_is_batch("a", NOW + MINUTE) == 1
    for day in range(11):
        world.upkeep(NOW + day * DAY)
        world.online_is_batch("a", NOW + day * DAY + 1)


def test_a_replay_asks_as_of_its_own_moment() -> None:
    """The upkeep of a replay asks for what was due then; a source without views is not asked for."""
    rebuilds = FakeQueue()
    UpkeepTask(World().project, live_sources(World().project), FakeLake(), rebuilds).run(
        {"as_of": format_moment(NOW)}, NOW + DAY
    )
    assert rebuilds.messages == [{**rebuild_due("meters"), "as_of": NOW}]
    UpkeepTask(
        Project({"meters": meters}, {}, {}), live_sources(Project({"meters": meters}, {}, {})), FakeLake(), rebuilds
    ).run({}, NOW)
    assert len(rebuilds.messages) == 1


@pytest.mark.parametrize(("known_after", "tile"), [("0s", "5m"), ("-1d", "5m"), ("3h", "5m"), ("-12h", "1m")])
def test_a_definition_promises_the_size_of_a_busy_state(known_after: str, tile: str) -> None:
    """With an event in every tile, told as early as declared, the packed state has no more bytes than was promised."""
    source = replace(meters, known_after=known_after)
    features = {"n": count("7d"), "low": minimum("x", "6h"), "l": last("x", "6h"), "f": first("x", "6h")}
    busy = FeatureView("busy", "who", source, features, tile=tile)
    after = source.known_after_micros or 0
    random = np.random.default_rng(0)
    starts = np.arange(NOW - 8 * DAY, NOW + max(-after, 0), busy.tile_micros)
    times = (starts + random.integers(0, busy.tile_micros, len(starts))).tolist()
    records = [
        Record("meters", f"{t}", t, t + after, t, {"id": f"{t}", "at": t, "who": "a", "x": x})
        for t, x in zip(times, random.normal(size=len(times)).tolist(), strict=True)
    ]
    packed = WINDOW_STATES.pack(busy, WINDOW_STATES.add(busy, WINDOW_STATES.empty(busy), records, NOW))
    assert len(packed) <= busy.max_bytes
    assert len(packed) > busy.max_bytes / 2
