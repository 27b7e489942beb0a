"""Attributes, one by one and many at once, against their definition."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smallbox.define import Attributes, attribute
from smallbox.features.attributes.batch import ATTRIBUTE_BATCH
from smallbox.features.attributes.state import ATTRIBUTE_STATES
from smallbox.features.online.states import state_key
from smallbox.lake.history import history
from smallbox.lake.schemas import records_to_table
from smallbox.records import Record
from smallbox.times import DAY
from tests.properties import oracle
from tests.properties.histories import SOURCES, START, VIEWS, histories, moments
from tests.properties.test_point_in_time import entities_of
from tests.properties.test_stream import END, World

names = pytest.mark.parametrize("name", SOURCES)
ATTRIBUTES = {
    name: Attributes(
        f"{name}_facts", "who", source, {"place": attribute("where"), "size": attribute("size"), "ok": attribute("ok")}
    )
    for name, source in SOURCES.items()
}


def stands(records: Sequence[Record], entity: str, view: Attributes, as_of: int) -> tuple[list[Any], list[Any]]:
    """The numbers and texts of an entity at a moment, by a loop."""
    begun = [r for r in oracle.versions_at(records, as_of) if oracle.entity_of(view, r) == entity and r.time <= as_of]
    said = max(begun, key=lambda r: (r.time, r.key)).values if begun else {}
    numbers = [np.nan if said.get(n) is None else float(said[n]) for n in ("size", "ok")]  # type: ignore[arg-type]
    return numbers, [said.get("where")]


@names
@settings(max_examples=60)
@given(data=st.data())
def test_batch_attributes_equal_the_definition(name: str, data: st.DataObject) -> None:
    """For any history and moment the batch engine gives what held and was known then."""
    source, view = SOURCES[name], ATTRIBUTES[name]
    records = data.draw(histories(source))
    asked = data.draw(st.lists(st.tuples(st.sampled_from(entities_of(0)), moments), min_size=1, max_size=8))
    as_of = np.array([t for _, t in asked], dtype=np.int64)
    stored = ATTRIBUTE_BATCH.features(view, history(records_to_table(source, records)), [e for e, _ in asked], as_of)
    expected = [stands(records, entity, view, moment) for entity, moment in asked]
    np.testing.assert_array_equal(stored.numeric, np.array([n for n, _ in expected]))
    assert stored.texts.tolist() == [t for _, t in expected]


@names
@settings(max_examples=40)
@given(data=st.data())
def test_online_attributes_equal_the_definition(name: str, data: st.DataObject) -> None:
    """Shuffled, batched, repeated, corrected and crashed, beside a view of windows, the stream ends where it should."""
    view = ATTRIBUTES[name]
    world = World(name, (VIEWS[name][1], view))
    records = data.draw(histories(world.source))
    world.receive(records)
    order = data.draw(st.permutations(records))
    now = max([START, *(r.received_at for r in records)])
    while order:
        size = data.draw(st.integers(1, 6))
        world.stream(order[:size], now, data.draw(st.one_of(st.none(), st.integers(0, 3))))
        order = order[size:]
    for moment in (now, now + 3 * DAY, max(now, END)):
        world.settle(moment, data.draw(st.one_of(st.none(), st.integers(0, 3))))
        world.settle(moment)
        for entity in entities_of(0):
            numbers, texts = stands(records, entity, view, moment)
            stored = world.store.read([state_key(view, entity)]).values()
            state = next((ATTRIBUTE_STATES.unpack(view, found.packed) for found in stored), None)
            np.testing.assert_array_equal(ATTRIBUTE_STATES.numbers(view, state, moment), np.array(numbers))
            assert ATTRIBUTE_STATES.texts(view, state, moment) == texts
