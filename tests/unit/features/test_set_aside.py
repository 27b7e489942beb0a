"""A state that does not fit into its item: it is set aside with a message that fails, and no other suffers."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from smallbox.define import Attributes, FeatureView, Source, attribute, count, number, text, timestamp
from smallbox.define.project import Project, project_of
from smallbox.errors import TooLarge
from smallbox.features.attributes.state import ATTRIBUTE_STATES
from smallbox.features.backfill import BackfillTask
from smallbox.features.live_views import LiveViewStore
from smallbox.features.online.states import state_key, unpack_state, version_of
from smallbox.features.rebuild import RebuildTask, group_of
from smallbox.features.stream import StreamTask
from smallbox.lake.names import records_table
from smallbox.lake.schemas import records_to_table
from smallbox.messages.records import pack_records
from smallbox.records import Record, Value
from smallbox.registry.contracts import Contracts
from smallbox.registry.store import Registry
from smallbox.serving.vectors import online_vectors
from smallbox.times import DAY, MINUTE, Micros, Moment, parse_day
from tests.fakes.documents import FakeDocuments
from tests.fakes.edges import FakeQueue
from tests.fakes.lake import FakeLake
from tests.fakes.live import live_store
from tests.fakes.online import FakeOnlineStore
from tests.fakes.small import deliveries, late_parcel

NOW = parse_day("2013-01-15")
prices = Source(
    "prices",
    "id",
    "since",
    {"id": text(), "since": timestamp(), "depot": text(), "price": number(), "note": text()},
)
tariff = Attributes("tariff", "depot", prices, {"price": attribute("price"), "note": attribute("note")})
changes = FeatureView("changes", "depot", prices, {"changes_24h": count("24h")})
model = replace(late_parcel, views=(tariff, changes))
FLOOD = 2_000


def price(depot: str, number: int, since: Micros) -> Record:
    """A price that holds from a moment on."""
    key = f"{depot} {number}"
    values: dict[str, Value] = {"id": key, "since": since, "depot": depot, "price": float(number), "note": "n" * 200}
    return Record("prices", key, since, NOW, NOW, values)


class World:
    """The store, the lake, and what writes to them."""

    def __init__(self) -> None:
        self.lake, self.store, self.rebuilds = FakeLake(), FakeOnlineStore(), FakeQueue()
        self.project: Project = project_of([model], [deliveries])
        self.live = live_store(*model.views)
        self.streamer = StreamTask(self.project, self.live, self.store, FakeQueue(), self.rebuilds, lambda _: None)
        self.task = RebuildTask(self.project, self.live, self.lake, self.store, self.rebuilds, lambda _: None)

    def receive(self, records: Sequence[Record]) -> None:
        """Records to the lake."""
        self.lake.append(records_table(prices), records_to_table(prices, records))

    def send(self, records: Sequence[Record]) -> None:
        """Records to the lake, then to the stream."""
        self.receive(records)
        for message in pack_records(records):
            self.streamer.apply([message], NOW)

    def rebuild(self) -> list[dict[str, Any]]:
        """Do what is asked; what is asked after that."""
        self.task.run(self.rebuilds.take(), NOW)
        return self.rebuilds.take()

    def served(self, *depots: str) -> list[list[float]]:
        """What the store adds for these depots: price and changes."""
        instances = [{"parcel_id": "p", "sent_at": NOW, "depot": depot, "weight": 1.0} for depot in depots]
        vectors = online_vectors(model, instances, self.store, Moment(NOW))
        stored = [model.columns.numeric.index(name) for name in ("price", "changes_24h")]
        found: list[list[float]] = vectors.inputs.numeric[:, stored].tolist()
        return found


def flooded() -> World:
    """More prices announced for tomorrow than a state can hold, and one of another depot, in each other's messages."""
    world = World()
    announced = [price("flooded", n, NOW + MINUTE + n) for n in range(FLOOD)]
    world.send([*announced[:1000], price("north", 7, NOW - DAY // 2), *announced[1000:]])
    return world


def test_the_stream_applies_all_others_and_asks_for_a_rebuild() -> None:
    """The records without room are asked of a rebuild; those of another entity in the same messages are applied."""
    world = flooded()
    assert world.served("north") == [[7.0, 1.0]]
    asked = {key for message in world.rebuilds.messages for key in message["digests"]}
    assert asked
    assert {key.rsplit(" ", 1)[0] for key in asked} == {"flooded"}


@pytest.mark.parametrize("request_", [{"source": "prices"}, {"source": "prices", "received_at": NOW, "after": -1}])
def test_a_rebuild_sets_it_aside_and_writes_all_others(request_: dict[str, Any]) -> None:
    """Whatever is asked, the others are written, and the one is asked for by itself; its features are missing."""
    world = flooded()
    world.rebuilds.take()
    world.send([price("south", 8, NOW - DAY // 2)])
    world.store.states.pop(state_key(tariff, "north"))
    world.rebuilds.send([request_])
    assert world.rebuild() == [{"source": "prices", "set_aside": [["tariff", "flooded", version_of(tariff)]]}]
    np.testing.assert_array_equal(world.served("north", "south", "flooded"), [[7, 1], [8, 1], [np.nan, 0]])


def test_its_message_fails_by_itself_until_it_fits() -> None:
    """It ends in the dead-letter queue, where the alarm is; a redrive computes the state once it fits."""
    world = flooded()
    (asked,) = world.rebuild()
    assert group_of(asked) != group_of({"source": "prices"})
    assert group_of({"source": "prices"}) != group_of({"source": "prices", "as_of": 1}), "a replay has its own moment"
    with pytest.raises(TooLarge, match="1 states of source prices do not fit"):
        world.task.run([asked], NOW)
    world.send([price("flooded", FLOOD, NOW - 1)])
    assert not world.rebuilds.messages, "it is marked, and asks for nothing more"
    begun = NOW + DAY
    world.task.run([asked], begun)
    state = unpack_state(tariff, world.store.states[state_key(tariff, "flooded")].packed)
    assert ATTRIBUTE_STATES.numbers(tariff, state, begun)[0] == FLOOD - 1


def test_a_message_of_a_view_that_is_gone_is_done() -> None:
    """A view, or a version of it, that is live no more wants nothing: no state is written, and no message is sent."""
    world = World()
    gone = [["gone", "flooded", version_of(tariff)], ["tariff", "flooded", "another version"]]
    world.task.run([{"source": "prices", "set_aside": gone}], NOW)
    assert (world.store.states, world.rebuilds.messages) == ({}, [])


def test_a_backfill_sets_it_aside_and_publishes() -> None:
    """The part is filled, the plan goes on, and the state is asked of the rebuild."""
    world = World()
    world.receive([*(price("flooded", n, NOW + MINUTE + n) for n in range(FLOOD)), price("north", 7, NOW - DAY // 2)])
    documents = FakeDocuments()
    stores = Registry(documents), Contracts(documents), LiveViewStore(documents)
    backfill = BackfillTask(world.project, *stores, world.lake, world.store, world.rebuilds, lambda _: None)
    plan = backfill.run("plan", {}, NOW)
    filled = [backfill.run("fill", part, NOW) for part in plan["parts"]]
    assert filled == [{"states": 4, "set_aside": 1}]
    assert sorted(backfill.run("publish", {**plan, "filled": filled}, NOW)["readable"]) == ["changes", "tariff"]
    assert world.rebuilds.messages == [{"source": "prices", "set_aside": [["tariff", "flooded", version_of(tariff)]]}]
