"""Proves the dataset: what was asked, with what was known then, and only what came true in time."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from smallbox.define import text
from smallbox.define.project import project_of
from smallbox.define.source import Source
from smallbox.lake.names import records_table
from smallbox.lake.schemas import records_to_table
from smallbox.records import Record
from smallbox.times import DAY, HOUR
from smallbox.training.dataset_rows import Dataset, build_dataset
from tests.fakes.lake import FakeLake
from tests.fakes.small import deliveries, late_parcel, parcels

PROJECT = project_of([late_parcel])
AS_OF = 30 * DAY


def record(source: Source, hour: float, **values: Any) -> Record:
    """A record of that hour, known at once."""
    time = int(hour * HOUR)
    return Record(source.name, values["parcel_id"], time, time, time, {source.time: time, **values})


def sent(hour: float, key: str, **values: Any) -> Record:
    """A parcel that was sent."""
    return record(parcels, hour, **{"parcel_id": key, "depot": "north", "weight": 2.5, **values})


def delivered(hour: float, key: str, delay: float, *, late: bool | None) -> Record:
    """A parcel that was delivered."""
    return record(deliveries, hour, parcel_id=key, depot="north", delay=delay, late=late)


def built(*records: Record) -> Dataset:
    """The dataset of those records, as of day 30."""
    lake = FakeLake()
    for source in (parcels, deliveries):
        lake.append(records_table(source), records_to_table(source, [r for r in records if r.source == source.name]))
    return build_dataset(PROJECT, late_parcel, lake, AS_OF)


def row(dataset: Dataset, key: str) -> Mapping[str, Any]:
    """The row of a key."""
    found: Mapping[str, Any] = next(r for r in dataset.rows.to_pylist() if r["key"] == key)
    return found


def test_a_request_meets_its_own_past_and_its_own_outcome() -> None:
    """Features are of the request's moment: its outcome, which the same source brings later, is not among them."""
    dataset = built(
        delivered(499, "old", 10.0, late=False),
        sent(500, "p", depot=None),
        sent(500, "q"),
        delivered(500.5, "q", 90.0, late=True),
        delivered(501, "p", 0.0, late=False),
    )
    assert row(dataset, "q")["depot_delay_3h"] == 10.0
    assert row(dataset, "q")["label"] is True
    assert row(dataset, "q")["label_known_at"] == int(500.5 * HOUR)
    assert (row(dataset, "p")["depot"], row(dataset, "p")["label"]) == ("", False)
    assert np.isnan(row(dataset, "p")["depot_delay_3h"])


def test_columns_stand_as_the_model_takes_them() -> None:
    """Numbers are float32, texts have no nulls, and a null number is not a number."""
    dataset = built(sent(500, "p", weight=None), delivered(501, "p", 1.0, late=True))
    assert dataset.rows.column_names == ["key", "time", "weight", "depot_delay_3h", "depot", "label", "label_known_at"]
    assert dataset.rows.schema.field("weight").type == pa.float32()


def test_what_has_no_label_is_left_out_and_counted() -> None:
    """No outcome, one that says nothing, and one that came too late are unlabelled; older requests are left."""
    dataset = built(
        sent(5, "before the window"),
        delivered(6, "before the window", 1.0, late=True),
        sent(500, "none"),
        sent(501, "null"),
        delivered(502, "null", 1.0, late=None),
        sent(503, "too late"),
        delivered(503 + 25, "too late", 1.0, late=True),
        sent(504, "good"),
        delivered(505, "good", 1.0, late=True),
    )
    assert dataset.rows["key"].to_pylist() == ["good"]
    assert (dataset.requests, dataset.unlabelled) == (4, 3)


def test_a_request_is_what_was_known_at_its_own_moment() -> None:
    """Of a request that was corrected, the version counts that a caller would have sent; and it is asked about once."""
    corrected = Record(
        "parcels", "p", 500 * HOUR, 400 * HOUR, 0, {"parcel_id": "p", "sent_at": 500 * HOUR, "weight": 1.0}
    )
    known = replace(corrected, known_at=499 * HOUR, values={**corrected.values, "weight": 5.0})
    late = replace(corrected, known_at=501 * HOUR, values={**corrected.values, "weight": 9.0})
    dataset = built(corrected, known, late, delivered(502, "p", 1.0, late=True))
    assert [r["weight"] for r in dataset.rows.to_pylist()] == [5.0]


def test_a_request_that_became_known_late_has_its_first_version() -> None:
    """A request that nobody knew of at its own moment is asked about as it was first known."""
    first = Record("parcels", "p", 500 * HOUR, 501 * HOUR, 0, {"parcel_id": "p", "sent_at": 500 * HOUR, "weight": 1.0})
    second = replace(first, known_at=502 * HOUR, values={**first.values, "weight": 9.0})
    dataset = built(first, second, delivered(503, "p", 1.0, late=True))
    assert [r["weight"] for r in dataset.rows.to_pylist()] == [1.0]


def test_requests_with_an_open_window_are_left_out() -> None:
    """A label that came early, while the window is open, does not bring its request in; others are still to come."""
    dataset = built(
        sent(500, "closed"),
        delivered(501, "closed", 1.0, late=True),
        sent(AS_OF // HOUR - 2, "open"),
        delivered(AS_OF // HOUR - 1, "open", 1.0, late=True),
    )
    assert dataset.rows["key"].to_pylist() == ["closed"]


def test_rows_are_in_the_order_of_time() -> None:
    """Whatever the order in the lake, the rows can be cut by time."""
    hours = [520, 500, 510]
    dataset = built(*(sent(h, f"p{h}") for h in hours), *(delivered(h + 1, f"p{h}", 1.0, late=True) for h in hours))
    assert dataset.rows["key"].to_pylist() == ["p500", "p510", "p520"]


def test_a_request_field_may_be_named_as_a_column_of_the_label_join() -> None:
    """``status``, ``label`` and ``event_time`` of a request are its own: the join adds columns of the same names."""
    odd: Mapping[str, Any] = {"status": "open", "label": "fragile", "event_time": "noon"}
    source = replace(parcels, fields={**parcels.fields, **{name: text(nullable=True) for name in odd}})
    model = replace(late_parcel, request=source, on_demand=(is_open,))
    lake = FakeLake()
    asked = replace(sent(500, "p"), values={**sent(500, "p").values, **odd})
    lake.append(records_table(source), records_to_table(source, [asked]))
    lake.append(records_table(deliveries), records_to_table(deliveries, [delivered(501, "p", 1.0, late=True)]))
    dataset = build_dataset(project_of([model]), model, lake, AS_OF)
    assert row(dataset, "p")["label"] is True
    assert row(dataset, "p")["is_open"] == 1.0


def is_open(status: Any, event_time: Any) -> Any:
    """An on-demand feature of fields that have names of the join."""
    return ((status == "open") & (event_time == "noon")).astype(float)
