"""Proves which versions of views are readable: after a backfill, after a return to an old definition, and amid one."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from smallbox.define import FeatureView, count
from smallbox.define.project import Project, project_of
from smallbox.errors import NotReady
from smallbox.features.backfill import BackfillTask
from smallbox.features.online.readiness import readable
from smallbox.features.online.states import state_key, version_of
from smallbox.features.stream import StreamTask
from smallbox.features.windows.state import WINDOW_STATES
from smallbox.lake.names import records_table
from smallbox.lake.schemas import records_to_table
from smallbox.messages.records import pack_records
from smallbox.records import Record, Value
from smallbox.times import HOUR, parse_day
from tests.fakes.edges import FakeQueue
from tests.fakes.lake import FakeLake
from tests.fakes.online import FakeOnlineStore
from tests.fakes.small import deliveries, late_parcel

NOW = parse_day("2013-01-15")
short = FeatureView("depot", "depot", deliveries, {"n": count("3h")})
longer = FeatureView("depot", "depot", deliveries, {"n": count("10h")})
other = FeatureView("other", "depot", deliveries, {"m": count("3h")})


class World:
    """A store and a lake that deployments come and go over."""

    def __init__(self) -> None:
        self.lake, self.store = FakeLake(), FakeOnlineStore()

    def deployed(self, *views: FeatureView) -> Project:
        """What the code defines from now on; its processes are new."""
        self.project = project_of([replace(late_parcel, views=views)])
        self.streamer = StreamTask(self.project, self.store, FakeQueue(), FakeQueue(), lambda _: None)
        self.backfill = BackfillTask(self.project, self.lake, self.store, FakeQueue(), lambda _: None)
        return self.project

    def receive(self, *keys: str, ago: int = HOUR) -> None:
        """Records to the lake, then to the stream."""
        time = NOW - ago
        values: dict[str, Value] = {"depot": "north", "delay": 1.0, "late": False, "delivered_at": time}
        records = [Record("deliveries", k, time, time, time, {**values, "parcel_id": k}) for k in keys]
        self.lake.append(records_table(deliveries), records_to_table(deliveries, records))
        self.streamer.apply(pack_records(records), time)

    def filled(self, **document: Any) -> Sequence[str]:
        """A whole backfill; what it made readable."""
        plan = self.backfill.run("plan", document, NOW)
        done = [self.backfill.run("fill", part, NOW) for part in plan["parts"]]
        return sorted(self.backfill.run("publish", {**plan, "filled": done}, NOW)["readable"])

    def counted(self, view: FeatureView) -> float:
        """How many records the state counts."""
        stored = self.store.read([state_key(view, "north")])
        state = next((WINDOW_STATES.unpack(view, found.packed) for found in stored.values()), None)
        return float(WINDOW_STATES.numbers(view, state, NOW)[0])


def test_a_return_to_the_old_definition_is_filled_again() -> None:
    """What came while another version was deployed is missing in old states: they are read only when filled anew."""
    world = World()
    world.deployed(short)
    assert world.filled() == ["depot"]
    world.receive("a")
    world.deployed(longer)
    world.receive("b", "c")
    world.deployed(short)
    assert readable(world.store) == {}, "the stream of the other version withdrew it before its first write"
    world.receive("d")
    assert world.filled() == ["depot"]
    assert world.counted(short) == 4
    assert readable(world.store) == {"depot": version_of(short)}


def test_a_view_that_was_gone_is_filled_again() -> None:
    """A view that was removed for a while is not readable when it comes back, however long it was readable before."""
    world = World()
    world.deployed(short, other)
    world.filled()
    world.deployed(other)
    world.receive("a")
    world.deployed(short, other)
    assert world.filled() == ["depot"]
    assert world.counted(short) == world.counted(other) == 1


def test_a_plan_of_other_code_is_not_carried_out() -> None:
    """A part, or a publication, that was planned for another version of a view is refused: start again."""
    world = World()
    world.deployed(short)
    world.receive("a")
    plan = world.backfill.run("plan", {}, NOW)
    world.deployed(longer)
    with pytest.raises(NotReady, match="run the backfill again"):
        world.backfill.run("fill", plan["parts"][0], NOW)
    with pytest.raises(NotReady, match="run the backfill again"):
        world.backfill.run("publish", plan, NOW)


def test_new_sources_need_no_backfill() -> None:
    """Views of a source without any record are readable at once; those of one that has records wait to be filled."""
    world = World()
    world.deployed(short)
    assert world.filled(only_new=True) == ["depot"]
    world.receive("a")
    world.deployed(longer)
    assert world.filled(only_new=True) == []
    assert world.filled() == ["depot"]
    assert world.counted(longer) == 1


def test_a_view_named_twice_is_one_view() -> None:
    """Naming a view twice does not pass for naming its sibling."""
    world = World()
    world.deployed(short, other)
    world.receive("a")
    (part,) = world.backfill.run("plan", {"views": ["depot", "depot"]}, NOW)["parts"]
    assert list(part["versions"]) == ["depot"]
