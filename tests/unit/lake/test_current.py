"""The table ``current``: one row a key, brought forward."""

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pytest

from smallbox.define import Source, number, text, timestamp
from smallbox.lake.current_rows import bring_forward
from smallbox.lake.names import current_table, records_table
from smallbox.lake.schemas import record_schema, records_to_table
from smallbox.ports import Between, TableProgress
from smallbox.records import Record
from tests.fakes.lake import FakeLake

FIELDS = {"id": text(), "at": timestamp(), "x": number(nullable=True)}
source = Source("s", "id", "at", FIELDS)
LOG, CURRENT = records_table(source), current_table(source)


def version(key: str, x: float, known_at: int, received_at: int | None = None) -> Record:
    """A version of a key that says x."""
    received_at = known_at if received_at is None else received_at
    return Record("s", key, 1, known_at, received_at, {"id": key, "at": 1, "x": x})


class CountedLake(FakeLake):
    """A lake that remembers how many rows were taken from its log, and how many were written to ``current``."""

    def __init__(self) -> None:
        super().__init__()
        self.taken = self.written = 0

    def slices(
        self,
        table: str,
        after: int = -1,
        between: Between | None = None,
        *,
        columns: Sequence[str] | None = None,
        schema: pa.Schema | None = None,
    ) -> Iterator[pa.Table]:
        for rows in super().slices(table, after, between, columns=columns, schema=schema):
            self.taken += rows.num_rows
            yield rows

    def upsert(self, table: str, rows: pa.Table, progress: TableProgress) -> None:
        self.written += rows.num_rows
        super().upsert(table, rows, progress)


@pytest.fixture
def lake() -> CountedLake:
    """An empty lake."""
    return CountedLake()


def append(lake: FakeLake, *records: Record) -> None:
    """Append records in one commit."""
    lake.append(LOG, records_to_table(source, records))


def said(lake: FakeLake) -> dict[str, float]:
    """What each key says in ``current``; fails when a key is there twice."""
    rows = lake.read(CURRENT)
    assert rows is not None
    found = dict(zip(rows["key"].to_pylist(), rows["x"].to_pylist(), strict=True))
    assert len(found) == len(rows)
    return found


def test_a_source_without_records_has_no_current(lake: CountedLake) -> None:
    """Nothing comes of nothing."""
    assert bring_forward(source, lake, 10) is None
    assert lake.read(CURRENT) is None


def test_only_what_came_is_read_and_written(lake: CountedLake) -> None:
    """A second run reads the new rows alone, and writes what they change; a third does nothing at all."""
    append(lake, *(version(f"k{n}", n, 10) for n in range(100)))
    bring_forward(source, lake, 10)
    append(lake, version("k7", 70, 20), version("new", 1, 20))
    lake.compact(LOG)
    lake.taken = lake.written = 0
    stands = bring_forward(source, lake, 20)
    assert stands is not None
    assert (lake.taken, lake.written, stands.written) == (4, 2, 2), "the new rows, as appended and as known since"
    assert (said(lake)["k7"], len(said(lake))) == (70, 101)
    before = lake.version(CURRENT)
    bring_forward(source, lake, 20)
    assert lake.version(CURRENT) == before


def test_both_times_are_kept(lake: CountedLake) -> None:
    """A row of ``current`` says when it happened, when it became known, and when it was received."""
    append(lake, version("a", 1, 10, 12))
    bring_forward(source, lake, 10)
    rows = lake.read(CURRENT)
    assert rows is not None
    assert rows.schema == record_schema(source)
    assert [(r["time"], r["known_at"], r["received_at"]) for r in rows.to_pylist()] == [(1, 10, 12)]


def test_a_row_counts_when_it_becomes_known(lake: CountedLake) -> None:
    """A row that was appended before it is known is taken up by the first run after that, without being sent again."""
    append(lake, version("a", 1, 10), version("a", 2, 30))
    seen = []
    for as_of in (20, 29, 30):
        bring_forward(source, lake, as_of)
        seen.append(said(lake)["a"])
    assert seen == [1, 1, 2]


def test_current_never_goes_back(lake: CountedLake) -> None:
    """A run for an earlier moment, as a replay makes it, changes nothing and says where the table stands."""
    append(lake, version("a", 1, 10), version("a", 2, 20))
    bring_forward(source, lake, 20)
    append(lake, version("b", 1, 5))
    before = lake.version(CURRENT)
    stands = bring_forward(source, lake, 15)
    assert stands is not None
    assert (stands.as_of, stands.written, lake.version(CURRENT)) == (20, 0, before)
    bring_forward(source, lake, 20)
    assert said(lake) == {"a": 2, "b": 1}


def test_a_version_that_was_corrected_does_not_come_back_by_being_repeated(lake: CountedLake) -> None:
    """At one known_at the log decides: what was said first, then corrected, and then sent again, stays corrected."""
    append(lake, version("a", 1, 10, 11))
    append(lake, version("a", 2, 10, 12))
    bring_forward(source, lake, 10)
    append(lake, version("a", 1, 10, 13))
    bring_forward(source, lake, 10)
    assert said(lake) == {"a": 2}


def test_a_version_received_earlier_after_all_is_a_version_corrected(lake: CountedLake) -> None:
    """A replay may name an earlier moment of receipt for what counts; then what came between counts instead."""
    append(lake, version("a", 1, 10, 13), version("a", 2, 10, 12))
    bring_forward(source, lake, 10)
    assert said(lake) == {"a": 1}
    append(lake, version("a", 1, 10, 11))
    bring_forward(source, lake, 10)
    assert said(lake) == {"a": 2}


def test_a_contract_that_gains_a_field_gains_a_column(lake: CountedLake) -> None:
    """Rows with the new field are merged into the table of the old contract; a correction without it has nothing."""
    append(lake, version("a", 1, 10), version("b", 1, 10))
    bring_forward(source, lake, 10)
    wider = Source("s", "id", "at", FIELDS | {"y": number(nullable=True)})
    records = [Record("s", key, 1, 20, 20, {"id": key, "at": 1, "x": 2, "y": 3}) for key in ("b", "c")]
    lake.append(LOG, records_to_table(wider, records))
    bring_forward(wider, lake, 20)
    append(lake, version("c", 4, 30))
    bring_forward(wider, lake, 30)
    rows = lake.read(CURRENT)
    assert rows is not None
    assert {r["key"]: (r["x"], r["y"]) for r in rows.to_pylist()} == {"a": (1, None), "b": (2, 3), "c": (4, None)}
