"""Proves that what callers send, and when, is held against the lake's records of the same keys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smallbox.define.log_columns import logged_types
from smallbox.define.rules import Monitor
from smallbox.lake.names import records_table
from smallbox.lake.schemas import prediction_schema, records_to_table
from smallbox.monitoring.check_rules import sent_checks
from smallbox.monitoring.report import Check
from smallbox.monitoring.sent_fields import Sent, sent_of
from smallbox.records import Record
from smallbox.times import DAY, HOUR
from tests.fakes.lake import FakeLake
from tests.fakes.small import late_parcel, parcels

MILES = 0.6213711922


@dataclass(frozen=True, slots=True)
class Version:
    """A record of a parcel, known from an hour on."""

    key: str
    hour: int
    weight: float | None


def lake_of(versions: Sequence[Version], sent_at: int = 0) -> FakeLake:
    """A lake that holds the versions."""
    records = [
        Record(
            "parcels", v.key, sent_at, v.hour * HOUR, v.hour * HOUR,
            {"parcel_id": v.key, "sent_at": sent_at, "depot": "d", "weight": v.weight},
        )
        for v in versions
    ]  # fmt: skip
    lake = FakeLake()
    lake.append(records_table(parcels), records_to_table(parcels, records))
    return lake


def asked(rows: Sequence[tuple[str, int, float | None]], event_time: int = 0) -> pa.Table:
    """The log of predictions: key, hour of asking and weight."""
    fixed = {"event_time": event_time, "depot": "d"}
    logged = [{**fixed, "key": key, "time": hour * HOUR, "weight": weight} for key, hour, weight in rows]
    return pa.Table.from_pylist(logged, schema=prediction_schema(logged_types(late_parcel)))


def checks_of(sent: Sent, rule: Monitor = late_parcel.monitor) -> Mapping[str, Check]:
    """The checks by name."""
    return {check.name: check for check in sent_checks(rule, [sent])}


def test_another_unit_is_seen_in_its_field_and_only_there() -> None:
    """Kilometres for miles in every row: the field breaches, the others do not, and the sentence says on how many."""
    keys = [f"p{n}" for n in range(300)]
    lake = lake_of([Version(key, 0, 10.0) for key in keys])
    good = checks_of(sent_of(late_parcel, lake, asked([(key, 0, 10.0) for key in keys]), DAY))
    assert [check.name for check in good.values() if check.breached] == []
    bad = checks_of(sent_of(late_parcel, lake, asked([(key, 0, 10.0 / MILES) for key in keys]), DAY))
    assert [check.name for check in bad.values() if check.breached] == ["sent:weight"]
    assert (bad["sent:weight"].value, bad["sent:weight"].rows) == (1.0, 300)


def test_a_key_without_a_record_is_counted_and_is_not_unequal() -> None:
    """Nothing is compared with nothing; the note says how many there are."""
    sent = sent_of(late_parcel, lake_of([Version("known", 0, 1.0)]), asked([("known", 0, 1.0), ("other", 0, 9.0)]), DAY)
    assert (sent.rows, sent.found, sent.by_field) == (2, 1, {"weight": 0, "depot": 0})
    assert "1 of 2 keys have no record in the lake" in checks_of(sent)["sent:weight"].sentence
    nobody = sent_of(late_parcel, FakeLake(), asked([("known", 0, 1.0)]), DAY)
    assert (nobody.found, [c.value for n, c in checks_of(nobody).items() if n[:5] == "sent:"]) == (0, [None, None])


@pytest.mark.parametrize(("ahead", "breached"), [(0, []), (48, ["lead_hours", "off_time"])])
@pytest.mark.parametrize("is_recorded", [True, False], ids=["record", "no record"])
def test_asking_ahead_is_seen(ahead: int, breached: list[str], *, is_recorded: bool) -> None:
    """Asked two days ahead of the event time, in the record or as it was sent: the median and the share breach."""
    event_time = 100 * HOUR
    lake = lake_of([Version("p", 0, 1.0)], event_time) if is_recorded else FakeLake()
    hour = 100 - ahead
    # a caller that does not send the event time has the moment of asking there
    logged = asked([("p", hour, 1.0)] * 50, hour * HOUR if is_recorded else event_time)
    checks = checks_of(sent_of(late_parcel, lake, logged, 200 * HOUR))
    assert [check.name for check in checks.values() if check.breached] == breached
    assert checks["lead_hours"].value == ahead


def test_a_share_that_asks_at_another_time_breaches_though_the_median_is_right() -> None:
    """A quarter asked five hours late is systematic; the tolerance is the rule's."""
    leads = np.array([0] * 75 + [-5 * HOUR] * 25)
    sent = Sent(100, 0, {}, leads)
    assert [c.name for c in checks_of(sent).values() if c.breached] == ["off_time"]
    assert [c for c in checks_of(sent, replace(Monitor(), max_lead="5h")).values() if c.breached] == []


def naive(versions: Sequence[Version], key: str, hour: int, until: int) -> Version | None:
    """The version that counted at the asking, or the first one known later: one after the other."""
    own = sorted((v for v in versions if v.key == key and v.hour <= until), key=lambda v: v.hour)
    before = [v for v in own if v.hour <= hour]
    return before[-1] if before else (own[0] if own else None)


VERSIONS = st.builds(Version, st.sampled_from("abc"), st.integers(0, 40), st.sampled_from([None, 1.0, 2.0, 3.0]))
ASKED = st.tuples(st.sampled_from("abcd"), st.integers(0, 40), st.sampled_from([None, 1.0, 2.0, 3.0]))


@settings(max_examples=200)
@given(
    st.lists(VERSIONS, max_size=8, unique_by=lambda v: (v.key, v.hour)),
    st.lists(ASKED, min_size=1, max_size=8),
    st.integers(0, 40),
)
def test_the_record_is_the_one_that_counted_or_came_first(
    versions: list[Version], rows: list[tuple[str, int, float | None]], until: int
) -> None:
    """However versions and questions fall, what is compared is what the naive rule finds."""
    sent = sent_of(late_parcel, lake_of(versions), asked(rows), until * HOUR)
    found = [(naive(versions, key, hour, until), weight) for key, hour, weight in rows]
    assert sent.found == sum(version is not None for version, _ in found)
    assert sent.by_field["weight"] == sum(version is not None and version.weight != weight for version, weight in found)
