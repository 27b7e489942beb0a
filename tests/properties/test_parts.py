"""Proves that work done part by part, which bounds the memory, ends as work on everything at once does."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallbox.define.project import project_of
from smallbox.define.source import Source
from smallbox.features.online import rebuilder
from smallbox.features.online.rebuilder import EntityShard, Rebuilder
from smallbox.features.online.window_rows import WindowRows
from smallbox.lake.history import history
from smallbox.lake.names import records_table
from smallbox.lake.parquet import to_parquet
from smallbox.lake.partial_histories import PartialHistories
from smallbox.lake.schemas import record_schema, records_to_table
from smallbox.lake.spans import spans_of
from smallbox.ports import Between
from smallbox.records import Record, Value
from smallbox.times import DAY, HOUR, Micros
from smallbox.training.dataset_rows import DatasetParts
from tests.fakes.lake import FakeLake
from tests.fakes.online import FakeOnlineStore
from tests.fakes.small import deliveries, late_parcel, parcels
from tests.properties.histories import SOURCES, SPAN, START, VIEWS, histories

AS_OF = 30 * DAY
PROJECT = project_of([late_parcel])
HOURS = st.integers(9 * 24, 30 * 24)


def lake_of(source: Source, *commits: Sequence[Record]) -> FakeLake:
    """A lake with these commits."""
    lake = FakeLake()
    for records in commits:
        lake.append(records_table(source), records_to_table(source, records))
    return lake


def in_order(rows: pa.Table) -> list[dict[str, Any]]:
    """Rows of a history, without what only orders its versions."""
    kept = rows.select([name for name in rows.column_names if name not in {"received_at", "digest"}])
    return sorted(kept.to_pylist(), key=repr)


@given(st.data())
def test_part_of_a_history_is_that_of_everything(data: st.DataObject) -> None:
    """Of each record with a version in the range it has every version that was known, and until when it was valid."""
    source = data.draw(st.sampled_from([*SOURCES.values()]))
    records = data.draw(histories(source))
    start, length = data.draw(st.integers(START, START + SPAN)), data.draw(st.integers(0, SPAN))
    known_by = data.draw(st.integers(START, START + 2 * SPAN))
    cut = data.draw(st.integers(0, len(records)))
    found = PartialHistories(lake_of(source, records[:cut], records[cut:])).between(
        source, record_schema(source).names, start, start + length, known_by
    )
    rows = records_to_table(source, records)
    inside = pc.and_(pc.greater_equal(rows["time"], start), pc.less(rows["time"], start + length))
    named = pc.is_in(rows["key"], value_set=rows["key"].filter(inside).combine_chunks())
    whole = history(rows.filter(pc.and_(named, pc.less_equal(rows["known_at"], known_by))))
    assert in_order(found) == in_order(whole)


@given(st.lists(st.integers(-50 * HOUR, 50 * HOUR), max_size=30), st.integers(1, 8))
def test_ranges_make_up_the_whole(moments: list[Micros], most: int) -> None:
    """They follow each other without a gap, and one with more rows than asked for lies within an hour."""
    whole = Between("time", -(2**62), 2**62)
    spans = spans_of([np.array(moments[:5], np.int64), np.array(moments[5:], np.int64)], whole, most)
    assert (spans[0].start, spans[-1].end) == (whole.start, whole.end)
    assert all(one.end == other.start for one, other in pairwise(spans))
    for span in spans:
        own = [moment for moment in moments if span.start <= moment < span.end]
        assert len(own) <= most or len({moment // HOUR for moment in own}) == 1


def asked(key: str, hour: int, known: int, depot: str | None, weight: float | None) -> Record:
    """A parcel that was sent, as it became known hours later or before."""
    values: dict[str, Value] = {"parcel_id": key, "sent_at": hour * HOUR, "depot": depot, "weight": weight}
    return Record("parcels", key, hour * HOUR, (hour + known) * HOUR, (hour + known) * HOUR, values)


def outcome(key: str, hour: int, depot: str, delay: float, *, late: bool | None) -> Record:
    """A parcel that was delivered."""
    values: dict[str, Value] = {
        "parcel_id": key,
        "delivered_at": hour * HOUR,
        "depot": depot,
        "delay": delay,
        "late": late,
    }
    return Record("deliveries", key, hour * HOUR, hour * HOUR, hour * HOUR, values)


KEYS, DEPOTS, NUMBERS = st.sampled_from("abcdefghijkl"), st.sampled_from(["n", "s"]), st.sampled_from([0.5, 1.0, 3.0])
SENT = st.builds(asked, KEYS, HOURS, st.integers(-3, 40), DEPOTS | st.none(), NUMBERS | st.none())
DELIVERED = st.builds(outcome, KEYS, HOURS, DEPOTS, NUMBERS, late=st.booleans() | st.none())


def _joined(parts: Sequence[pa.Table]) -> bytes:
    return to_parquet(pa.concat_tables(parts).combine_chunks())


@given(st.lists(SENT, max_size=20), st.lists(DELIVERED, max_size=20), st.integers(1, 6))
def test_a_dataset_in_parts_is_the_dataset(sent: list[Record], delivered: list[Record], most: int) -> None:
    """Labelled rows, the sample of the others, the inputs of another signature and all counts are the same bytes."""
    lake = lake_of(parcels, sent[:10], sent[10:])
    lake.append(records_table(deliveries), records_to_table(deliveries, delivered))
    found = []
    for size in (most, 10**9):
        parts = DatasetParts(PROJECT, late_parcel, lake, AS_OF, other=late_parcel, most=size)
        built = list(parts)
        tables = ([part.rows for part in built], [part.silent for part in built], [part.compared for part in built])
        counts = [parts.requests, *(parts.count(status) for status in ("labelled", "unlabelled", "asked_late"))]
        found.append((counts, *(_joined([one for one in some if one is not None]) for some in tables)))
    assert found[0] == found[1]


Rebuild = Callable[[Rebuilder, Sequence[Record], Micros], object]


def everything(worker: Rebuilder, records: Sequence[Record], now: Micros) -> object:
    """Rebuild all states."""
    del records
    return worker.materialize(now)


def corrected(worker: Rebuilder, records: Sequence[Record], now: Micros) -> object:
    """Rebuild what half of the records touch."""
    worker.materialize(now)
    return worker.correct([record.key for record in records[::2]], now)


def joined(worker: Rebuilder, records: Sequence[Record], now: Micros) -> object:
    """Fill the views in two parts."""
    del records
    return [worker.fill(worker.views, EntityShard(number, 2), now) for number in range(2)]


@pytest.mark.parametrize("how", [everything, corrected, joined])
@given(st.data())
def test_a_rebuild_in_parts_is_the_rebuild(how: Rebuild, data: st.DataObject) -> None:
    """States and markers are the same, and so is what is to be rebuilt later, when a part holds a few rows."""
    source = data.draw(st.sampled_from([*SOURCES.values()]))
    records = data.draw(histories(source))
    now = data.draw(st.integers(START, START + SPAN))
    views, lake, found = VIEWS[source.name], lake_of(source, records[:3], records[3:]), []
    for most in (data.draw(st.integers(1, 4)), 10**9):
        store = FakeOnlineStore()
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(rebuilder, "WindowRows", partial(WindowRows, most=most))
            result = how(Rebuilder(source, views, lake, store, lambda _: None), records, now)
        found.append((result, {key: state.packed for key, state in store.states.items()}, store.marked))
    assert found[0] == found[1]
