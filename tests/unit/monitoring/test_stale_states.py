"""Proves of the figure of stale states: it counts the records that the store lacks, and says how old it is."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from smallbox.define.aggregates import count
from smallbox.define.rules import Monitor
from smallbox.features.online.markers import CLAIMED, marker_id
from smallbox.lake.names import records_table
from smallbox.lake.schemas import records_to_table
from smallbox.monitoring.check_findings import findings_of
from smallbox.monitoring.stale_states import REFRESH, SAMPLED, StaleStates, StateLag, stale_checks
from smallbox.ports import Between, Marker
from smallbox.records import Record
from smallbox.times import DAY, HOUR, MINUTE, Micros, parse_day
from tests.fakes.lake import FakeLake
from tests.fakes.online import AppliedRecords, FakeOnlineStore
from tests.fakes.small import deliveries, depot, late_parcel

NOW = parse_day("2026-03-02")
MODEL = replace(late_parcel, views=(replace(depot, features={"depot_parcels_7d": count("7d")}),))


class _Store(FakeOnlineStore):
    """The markers of some records, and how many were asked for."""

    def __init__(self, *records: Record, digest: str | None = None) -> None:
        super().__init__()
        names = {marker_id(one.source, one.key): digest if digest is not None else one.digest for one in records}
        self.marked = {name: Marker(name, own, NOW + DAY) for name, own in names.items()}
        self.asked = 0

    def markers(self, ids: Sequence[str]) -> Mapping[str, str]:
        self.asked += len(ids)
        return super().markers(ids)


def _record(number: int, known_at: Micros, time: Micros | None = None, delay: float = 1.0) -> Record:
    at = known_at if time is None else time
    fields: dict[str, Any] = {"parcel_id": f"p{number}", "delivered_at": at, "depot": "d", "delay": delay, "late": True}
    values = {name: fields.get(name) for name in deliveries.fields}
    return Record("deliveries", f"p{number}", at, known_at, known_at, values)


def _lag(store: FakeOnlineStore, *records: Record) -> StateLag:
    lake = FakeLake()
    lake.append(records_table(deliveries), records_to_table(deliveries, list(records)))
    (lag,) = StaleStates(lake, store).of(MODEL, NOW)
    return lag


def test_a_store_that_counts_every_record_is_not_behind() -> None:
    """Its newest record is the newest that is known, and nothing breaches."""
    lag = _lag(AppliedRecords(), *(_record(n, NOW - n * HOUR) for n in range(1, 9)))
    assert lag == StateLag("deliveries", ("depot",), 8, 0, 0, NOW - HOUR, NOW - HOUR)
    (check,) = stale_checks(Monitor(), [lag])
    assert (check.value, check.breached, check.note) == (0.0, False, "")


def test_a_store_that_stopped_is_as_old_as_the_first_record_that_it_lacks() -> None:
    """A worker that died six hours ago: the share, the age and the sentence, in the incident of the skew it causes."""
    records = [_record(n, NOW - n * HOUR) for n in range(1, 13)]
    lag = _lag(_Store(*records[6:]), *records)
    assert lag == StateLag("deliveries", ("depot",), 12, 6, 6 * HOUR, NOW - HOUR, NOW - 7 * HOUR)
    (check,) = stale_checks(Monitor(), [lag])
    assert (check.name, check.value, check.breached) == ("unapplied:deliveries", 0.5, True)
    assert check.note == "states of depot lack a record that has been known for 6.0 hours"
    (finding,) = findings_of([check], "2026-03-01")
    assert (finding.kind, finding.cause, finding.remedy) == ("feature_skew", "", "mend the system")


OLD, NEW = _record(1, NOW - 3 * HOUR), _record(1, NOW - 2 * HOUR, delay=2.0)


@pytest.mark.parametrize(
    ("store", "records", "unapplied"),
    [
        (_Store(OLD), [OLD, NEW], 1),
        (_Store(NEW), [OLD, NEW], 0),
        (_Store(_record(1, NOW + HOUR, delay=3.0)), [OLD, _record(1, NOW + HOUR, delay=3.0)], 0),
        (_Store(OLD, digest=CLAIMED), [OLD], 0),
        (_Store(NEW), [OLD, NEW, replace(NEW, received_at=NOW + HOUR)], 0),
    ],
    ids=["a correction waits", "it is applied", "the store has gone on", "a backfill took it", "sent again"],
)
def test_the_version_that_counts_is_looked_for(store: _Store, records: list[Record], unapplied: int) -> None:
    """Of a corrected record the newest version by the end of the day, or one that became known since."""
    lag = _lag(store, *records)
    assert (lag.records, lag.unapplied) == (1, unapplied)


@pytest.mark.parametrize(
    "record",
    [
        _record(1, NOW - REFRESH + MINUTE),
        _record(1, NOW - DAY - HOUR),
        _record(1, NOW - HOUR, time=NOW - 400 * DAY),
    ],
    ids=["on its way", "of another day", "beyond every window"],
)
def test_a_record_that_nobody_misses_is_not_looked_for(record: Record) -> None:
    """It is no part of the figure, and without records the check has no value."""
    lag = _lag(_Store(), record)
    assert (lag.records, lag.known) == (0, None)
    assert stale_checks(Monitor(), [lag])[0].value is None


def test_a_sample_of_many_records_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """One read of the store, whatever the traffic and however the lake's rows come in slices."""
    records, store = [_record(n, NOW - 12 * HOUR + n * MINUTE) for n in range(600)], _Store()
    whole, read = _lag(store, *records), FakeLake.slices
    assert (whole.records, whole.unapplied, store.asked) == (SAMPLED, SAMPLED, SAMPLED)

    def in_slices(lake: FakeLake, table: str, *, between: Between, columns: Sequence[str]) -> list[pa.Table]:
        rows = pa.concat_tables(read(lake, table, between=between, columns=columns))
        return [rows.slice(at, 70) for at in range(0, rows.num_rows, 70)]

    monkeypatch.setattr(FakeLake, "slices", in_slices)
    assert _lag(store, *records) == whole
