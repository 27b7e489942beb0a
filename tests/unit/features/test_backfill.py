"""Proves what a backfill plans, fills and publishes, beside a stream and after views have changed."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from smallbox.define import FeatureView, count
from smallbox.define.attributes import View
from smallbox.define.project import Project
from smallbox.errors import NotFound
from smallbox.features.backfill import BackfillTask
from smallbox.features.live_views import LiveViews, LiveViewStore, id_of
from smallbox.features.online.states import state_key, version_of
from smallbox.features.rebuild import RebuildTask
from smallbox.features.stream import StreamTask
from smallbox.features.windows.state import WINDOW_STATES
from smallbox.lake.names import records_table
from smallbox.lake.schemas import records_to_table
from smallbox.messages.rebuilds import rebuild_set_aside
from smallbox.messages.records import pack_records
from smallbox.ports import StateKey
from smallbox.records import Record, Value
from smallbox.registry.contracts import Contracts
from smallbox.registry.store import Registry
from smallbox.times import HOUR, MINUTE, Micros, format_moment, parse_day
from tests.fakes.documents import FakeDocuments
from tests.fakes.edges import FakeQueue
from tests.fakes.lake import FakeLake
from tests.fakes.online import FakeOnlineStore
from tests.fakes.small import deliveries

NOW = parse_day("2013-01-15")
short = FeatureView("depot", "depot", deliveries, {"n": count("3h")})
longer = FeatureView("depot", "depot", deliveries, {"n": count("10h")})
other = FeatureView("other", "depot", deliveries, {"m": count("3h")})


def project_with(*views: View) -> Project:
    """A definition of these views, without a model."""
    return Project({"deliveries": deliveries}, {view.name: view for view in views}, {})


class World:
    """A store and a lake that deployments come and go over."""

    def __init__(self) -> None:
        self.lake, self.store, self.documents = FakeLake(), FakeOnlineStore(), FakeDocuments()
        self.rebuilds = FakeQueue()
        self.now = NOW

    def deployed(self, *views: View) -> None:
        """What the code defines from now on; its processes are new."""
        self.project, live = project_with(*views), LiveViewStore(self.documents)
        ports = self.store, self.rebuilds, lambda _: None
        self.streamer = StreamTask(self.project, live, self.store, FakeQueue(), self.rebuilds, lambda _: None)
        stores = Registry(self.documents), Contracts(self.documents), live
        self.backfill = BackfillTask(self.project, *stores, self.lake, *ports)
        self.rebuild = RebuildTask(self.project, live, self.lake, *ports)

    def live(self) -> LiveViews:
        """The live views now."""
        return LiveViewStore(self.documents).read()

    def receive(self, *keys: str, ago: Micros = HOUR) -> None:
        """Records to the lake, then to the stream."""
        time = NOW - ago
        values: dict[str, Value] = {"depot": "north", "delay": 1.0, "late": False, "delivered_at": time}
        records = [Record("deliveries", k, time, time, time, {**values, "parcel_id": k}) for k in keys]
        self.lake.append(records_table(deliveries), records_to_table(deliveries, records))
        self.streamer.apply(pack_records(records), time)

    def plan(self, **document: Any) -> Mapping[str, Any]:
        """The first step of a backfill."""
        return self.backfill.run("plan", document, self.now)

    def filled(self, plan: Mapping[str, Any] | None = None, **document: Any) -> Sequence[str]:
        """The steps of a backfill after its plan; what it made readable."""
        plan = self.plan(**document) if plan is None else plan
        done = [self.backfill.run("fill", part, self.now) for part in plan["parts"]]
        return sorted(self.backfill.run("publish", {**plan, "filled": done}, self.now)["readable"])

    def counted(self, view: FeatureView) -> float:
        """How many records the state counts."""
        stored = self.store.read([state_key(view, "north")])
        state = next((WINDOW_STATES.unpack(view, found.packed) for found in stored.values()), None)
        return float(WINDOW_STATES.numbers(view, state, NOW)[0])


def world(*views: View) -> World:
    """A world in which these views are defined and ready."""
    made = World()
    made.deployed(*views)
    made.filled()
    return made


def test_a_return_to_the_old_definition_in_time_needs_no_backfill() -> None:
    """The old version was kept, with all that came while another was deployed."""
    made = world(short)
    made.receive("a")
    made.deployed(longer)
    assert made.filled() == ["depot"]
    made.receive("b", "c")
    made.deployed(short)
    assert made.filled() == []
    assert made.live().not_ready([short, longer]) == []
    assert made.counted(short) == made.counted(longer) == 3


def test_a_view_that_was_dropped_is_filled_again() -> None:
    """A view that was gone for a while is not readable when it comes back, however long it was readable before."""
    made = world(short, other)
    made.deployed(other)
    made.filled()
    made.now += 61 * MINUTE
    made.filled()
    made.receive("a")
    assert made.counted(short) == 0, "nobody keeps it"
    made.deployed(short, other)
    made.plan()
    assert made.live().not_ready([short, other]) == ["depot"]
    assert made.filled() == ["depot"]
    assert made.counted(short) == made.counted(other) == 1


def test_a_part_fills_what_was_planned_and_is_still_live() -> None:
    """A view that joined after the plan waits for its own; one that has left is left out, and is not published."""
    made = world()
    made.deployed(short)
    made.receive("a")
    plan = made.plan()
    made.deployed(other)
    made.plan()
    made.now += 61 * MINUTE
    made.plan()
    assert [view["name"] for view in plan["views"]] == ["depot"]
    made.filled(plan)
    assert not made.store.states
    assert made.live().not_ready([short, other]) == ["depot", "other"]
    assert made.filled() == ["other"]


def test_a_view_of_a_source_without_records_is_readable_at_once() -> None:
    """There is no part to compute, so the plan is published as it is."""
    made = World()
    made.deployed(short)
    assert made.filled() == ["depot"]
    assert made.live().not_ready([short]) == []


def test_a_view_named_is_all_its_live_versions() -> None:
    """A repair by name fills what is ready, too, and each version once, however often it is named."""
    made = world(short, other)
    made.receive("a")
    made.deployed(longer, other)
    made.filled()
    made.store.states.clear()
    (part,) = made.plan(views=["depot", "depot"])["parts"]
    assert [(one["name"], one["version"]) for one in part["views"]] == [id_of(longer), id_of(short)]
    made.filled(views=["depot"])
    assert made.counted(short) == made.counted(longer) == 1
    assert {key.view for key in made.store.states} == {"depot"}
    with pytest.raises(NotFound, match="there is no view 'gone'; there is depot, other"):
        made.plan(views=["gone"])


def test_a_replay_fills_as_of_its_own_moment() -> None:
    """The parts have the simulated time; the plan lets views join and leave in the present."""
    made = world(short)
    made.receive("a", ago=9 * HOUR)
    made.now += 400 * 24 * HOUR
    made.deployed(longer)
    plan = made.plan(as_of=format_moment(NOW))
    assert [part["as_of"] for part in plan["parts"]] == [format_moment(NOW)]
    assert made.filled(plan) == ["depot"]
    assert made.counted(longer) == 1
    assert made.live().by_id[id_of(short)].leaving_since == made.now


def test_a_state_that_is_set_aside_is_one_of_its_version() -> None:
    """A message about a version that is live writes that one; one about a version that is gone writes nothing."""
    made = world(short)
    made.receive("a")
    made.deployed(longer)
    made.filled()
    made.store.states.clear()
    for version in (version_of(longer), "gone"):
        made.rebuild.run(rebuild_set_aside("deliveries", [StateKey("depot", "north", version)]), NOW)
    assert [*made.store.states] == [state_key(longer, "north")]
