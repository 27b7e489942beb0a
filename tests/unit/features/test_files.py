"""What the rebuilds after dropped files cost: in proportion to the files, whatever else the source holds."""

from collections.abc import Sequence

import pytest

from smallbox.define import FeatureView, Source, count, text, timestamp
from smallbox.define.project import Project
from smallbox.features.online.states import state_key
from smallbox.features.rebuild import RebuildTask
from smallbox.features.windows.state import WINDOW_STATES
from smallbox.ingestion.load import LoadTask
from smallbox.ports import Marker, StateWrite
from smallbox.times import DAY, HOUR, MINUTE, SECOND, Micros, format_moment, parse_day
from tests.fakes.edges import FakeBlobs, FakeQueue
from tests.fakes.lake import FakeLake
from tests.fakes.live import live_sources, live_store
from tests.fakes.online import FakeOnlineStore

NOW = parse_day("2013-03-01")
sales = Source("sales", "id", "at", {"id": text(), "at": timestamp(), "shop": text()}, known_after="0s")
shop = FeatureView("shop", "shop", sales, {"n": count("24h")})
FILES, ROWS = 30, 200


class CountingStore(FakeOnlineStore):
    """Counts the markers and the states that are written."""

    def __init__(self) -> None:
        super().__init__()
        self.marks = self.written = 0

    def commit(self, markers: Sequence[Marker], states: Sequence[StateWrite]) -> None:
        super().commit(markers, states)
        self.written += len(states)

    def mark(self, markers: Sequence[Marker]) -> None:
        super().mark(markers)
        self.marks += len(markers)


class World:
    """An inbox, a lake, a store and the functions between them."""

    def __init__(self) -> None:
        project = Project({"sales": sales}, {"shop": shop}, {})
        self.store, self.rebuilds, self.inbox = CountingStore(), FakeQueue(), FakeBlobs(NOW)
        self.lake = FakeLake()
        self.drops = LoadTask(
            project, live_sources(project), self.lake, FakeBlobs(), self.inbox, FakeQueue(), self.rebuilds
        )
        self.task = RebuildTask(project, live_store(shop), self.lake, self.store, self.rebuilds, lambda _: None)

    def drop(self, name: str, rows: Sequence[tuple[str, str, Micros]], folder: str = "") -> None:
        """Drop a file of (id, shop, time) and load it."""
        lines = ["id,shop,at", *(f"{key},{where},{format_moment(at)}" for key, where, at in rows)]
        key = f"drop/sales/{folder}{name}.csv"
        self.inbox.put(key, "\n".join(lines).encode())
        self.drops.take(key)

    def counted(self, where: str, now: Micros) -> float:
        """How many sales the store counts of a shop."""
        state = self.store.states.get(state_key(shop, where))
        return float(WINDOW_STATES.numbers(shop, WINDOW_STATES.unpack(shop, state.packed) if state else None, now)[0])


@pytest.mark.parametrize("folder", ["", "as_of=2013-02-28T23:00:00Z/"], ids=["present", "replayed"])
@pytest.mark.parametrize("together", [False, True])
def test_each_record_is_marked_once_and_each_shop_written_once_a_rebuild(folder: str, *, together: bool) -> None:
    """Thirty files of 200 rows: 6,000 markers, not 93,000, also of one moment; one by one or all that wait."""
    world = World()
    for file in range(FILES):
        rows = [(f"{file} {n}", f"shop {file} {n % 10}", NOW - 2 * HOUR) for n in range(ROWS)]
        world.drop(f"file {file}", rows, folder)
        if not together:
            world.task.run(world.rebuilds.take(), NOW)
    if together:
        world.task.run(world.rebuilds.take(), NOW)
    assert world.store.marks == FILES * ROWS
    assert world.store.written == FILES * 10 == len(world.store.states)
    assert {world.counted(f"shop {file} {n}", NOW) for file in range(FILES) for n in range(10)} == {ROWS / 10}


def test_files_of_one_shop_are_one_write_when_they_wait_together() -> None:
    """Thirty files about the same ten shops, rebuilt at once, write ten states."""
    world = World()
    for file in range(FILES):
        world.drop(f"file {file}", [(f"{file} {n}", f"shop {n % 10}", NOW - 2 * HOUR) for n in range(ROWS)])
    world.task.run(world.rebuilds.take(), NOW)
    assert world.store.written == 10
    assert world.counted("shop 0", NOW) == FILES * ROWS / 10


def test_a_file_that_moves_a_sale_takes_it_from_the_other_shop() -> None:
    """The entity of the version before is rebuilt too, though the file does not name it."""
    world = World()
    world.drop("one", [("sale", "north", NOW - 2 * HOUR), ("other", "north", NOW - 2 * HOUR)])
    world.inbox.now = NOW + SECOND
    world.drop("two", [("sale", "south", NOW - HOUR)])
    world.task.run(world.rebuilds.take(), NOW + SECOND)
    assert (world.counted("north", NOW), world.counted("south", NOW)) == (1, 1)


def test_a_correction_that_is_known_later_is_asked_again() -> None:
    """A sale that a file corrects to the next hour is looked at again then; a first version waits for nothing."""
    world = World()
    world.drop("one", [("sale", "north", NOW - HOUR), ("new", "south", NOW + HOUR)])
    world.task.run(world.rebuilds.take(), NOW)
    assert not world.rebuilds.messages
    world.drop("two", [("sale", "west", NOW + HOUR)])
    world.task.run(world.rebuilds.take(), NOW)
    (again,) = world.rebuilds.take()
    assert list(again["digests"]) == ["sale"]
    later = NOW + HOUR + MINUTE
    world.task.run([again], later)
    assert not world.rebuilds.messages
    assert [world.counted(name, later + HOUR) for name in ("north", "south", "west")] == [0, 1, 1]


def test_a_request_that_finds_nothing_writes_nothing() -> None:
    """Rows that have left every window are marked no more."""
    world = World()
    world.drop("old", [("sale", "north", NOW - 90 * DAY)])
    world.task.run(world.rebuilds.take(), NOW)
    assert (world.store.marks, world.store.written) == (0, 0)
