"""Proves that the catalogue knows every table, and that the system writes what it says."""

from dataclasses import replace
from typing import Any, Final

import pyarrow as pa
import pytest

from infra.grants import GRANTS
from smallbox.define import label, number, text
from smallbox.define.log_columns import logged_types
from smallbox.define.project import load, project_of
from smallbox.errors import NotFound
from smallbox.feedback.join import JoinTask
from smallbox.ingestion.profiled_records import RecordProfiles
from smallbox.lake.catalogue import MAINTAINER, catalogue
from smallbox.lake.current_rows import bring_forward
from smallbox.lake.erasure import delete_keys
from smallbox.lake.names import current_table, exposures_table, predictions_table, records_table
from smallbox.lake.predictions import logged_table
from smallbox.lake.schemas import exposure_schema, records_to_table
from smallbox.ports import TableProgress
from smallbox.profiles.store import ProfileStore, source_subject
from smallbox.records import Record, Value
from smallbox.registry.store import Registry
from smallbox.times import DAY
from tests.fakes.documents import FakeDocuments
from tests.fakes.edges import FakeBlobs
from tests.fakes.lake import FakeLake
from tests.fakes.small import deliveries, late_parcel, parcels

PROJECT = project_of([late_parcel])
FORGET = ProfileStore(FakeBlobs()).forget
FOLDERS: Final = {"records", "current", "predictions", "labelled"}


def _parcel(key: str, time: int = 5) -> Record:
    values: dict[str, Value] = {"parcel_id": key, "sent_at": time, "depot": None, "weight": None}
    return Record("parcels", key, time, time, time, values)


def test_the_writers_are_those_that_may_write() -> None:
    """Of each folder of tables, the functions with a grant to put objects are its writers and the upkeep."""
    for folder in (*FOLDERS, "exposures"):
        granted = {
            function
            for function, grants in GRANTS.items()
            for grant in grants
            if grant.on.startswith(f"bucket:lake/tables/{folder}/") and "s3:PutObject" in grant.actions
        }
        tables = [table for table in catalogue(load()).values() if table.name.startswith(f"{folder}/")]
        assert tables
        assert all({*table.writers, MAINTAINER} == granted for table in tables)


def test_every_key_is_among_the_columns() -> None:
    """A table's key and personal columns are columns of it, and so is the key of the record it is about."""
    for table in catalogue(load()).values():
        assert {*table.key, *table.personal, "key"} <= set(table.schema.names)


def test_what_is_written_has_the_columns_of_the_catalogue() -> None:
    """Records, current rows, predictions and labelled predictions have exactly the columns that the catalogue names."""
    lake = FakeLake()
    lake.append(records_table(parcels), records_to_table(parcels, [_parcel("a")]))
    lake.append(records_table(deliveries), records_to_table(deliveries, []))
    bring_forward(parcels, lake, as_of=10)
    logged: dict[str, list[Any]] = {"id": ["1"], "key": ["a"], "time": [5], "event_time": [5]}
    lake.append(predictions_table(late_parcel.name), logged_table(logged_types(late_parcel), logged))
    JoinTask(PROJECT, lake, Registry(FakeDocuments()), FakeDocuments()).run({"model": late_parcel.name}, DAY)
    written = {name: lake.read(name) for name in catalogue(PROJECT)}
    assert {name.partition("/")[0] for name, rows in written.items() if rows is not None} == FOLDERS
    for name, rows in written.items():
        assert rows is None or rows.schema.equals(catalogue(PROJECT)[name].schema), name


def test_a_key_is_deleted_wherever_it_stands() -> None:
    """Records, current rows and predictions about a key go; others stay; the upkeep does not bring them back."""
    lake = FakeLake()
    lake.append(records_table(parcels), records_to_table(parcels, [_parcel("a"), _parcel("b")]))
    bring_forward(parcels, lake, as_of=10)
    logged: dict[str, list[Any]] = {"id": ["1", "2"], "key": ["a", "b"], "time": [5, 5], "event_time": [5, 5]}
    lake.append(predictions_table(late_parcel.name), logged_table(logged_types(late_parcel), logged))
    exposed = {name: [None, None] for name in exposure_schema().names} | {"unit": ["u", "v"], "key": ["a", "b"]}
    lake.append(exposures_table(late_parcel.name), pa.table(exposed, schema=exposure_schema()))
    deleted = delete_keys(PROJECT, lake, FORGET, "parcels", ["a"])
    assert deleted == {
        "records/parcels": 1, "current/parcels": 1, "predictions/late_parcel": 1, "labelled/late_parcel": 0,
        "restated/late_parcel": 0, "exposures/late_parcel": 1, "profiles": 0,
    }  # fmt: skip
    lake.append(records_table(parcels), records_to_table(parcels, [_parcel("c", time=6)]))
    bring_forward(parcels, lake, as_of=20)
    for table, left in (
        (records_table(parcels), "bc"),
        (current_table(parcels), "bc"),
        ("predictions/late_parcel", "b"),
    ):
        rows: pa.Table = lake.read(table)
        assert sorted(rows["key"].to_pylist()) == [*left]
    with pytest.raises(NotFound):
        delete_keys(PROJECT, lake, FORGET, "letters", ["a"])


def test_a_deleted_key_is_no_extreme_row_any_more() -> None:
    """The value of its record goes out of the profiles, that of another record stays, and so do the counts."""
    lake, blobs = FakeLake(), FakeBlobs()
    heavy, light = (
        replace(one, values={**one.values, "weight": weight})
        for one, weight in ((_parcel("a"), 471.25), (_parcel("b"), 3.5))
    )
    RecordProfiles(blobs).add(parcels, records_to_table(parcels, [heavy, light]))
    store = ProfileStore(blobs)
    assert delete_keys(PROJECT, lake, store.forget, "parcels", ["a"])["profiles"] == 1
    (left,) = store.between(source_subject("parcels"), 0, DAY).values()
    weight = left.column("weight")
    assert [row.value for row in (*weight.lowest, *weight.highest)] == [3.5, 3.5]
    assert weight.known == 2
    assert delete_keys(PROJECT, lake, store.forget, "parcels", ["a"])["profiles"] == 0


def test_an_outcome_takes_its_labelled_prediction_along() -> None:
    """Deleting a record of the label's source deletes the labelled rows of the request that it is about."""
    outcomes = replace(deliveries, key="delivery_id", fields={**deliveries.fields, "delivery_id": text()})
    model = replace(late_parcel, label=label(outcomes, on="parcel_id", value="late", within="24h"), views=())
    values: dict[str, Value] = dict.fromkeys(outcomes.fields)
    values |= {"delivery_id": "d1", "parcel_id": "a"}
    lake = FakeLake()
    lake.append(records_table(outcomes), records_to_table(outcomes, [Record("deliveries", "d1", 5, 5, 5, values)]))
    lake.append("labelled/late_parcel", pa.table({"key": ["a", "b"], "label": [True, False]}))
    assert delete_keys(project_of([model], [outcomes]), lake, FORGET, "deliveries", ["d1"])["labelled/late_parcel"] == 1
    rows: pa.Table = lake.read("labelled/late_parcel")
    assert rows["key"].to_pylist() == ["b"]


def test_a_row_that_a_writer_put_back_goes_with_the_next_run() -> None:
    """An upkeep that had read the log before the deletion writes the key back; deleting again removes it."""
    lake = FakeLake()
    rows = records_to_table(parcels, [_parcel("a")])
    lake.append(records_table(parcels), rows)
    assert delete_keys(PROJECT, lake, FORGET, "parcels", ["a"])["current/parcels"] == 0
    lake.upsert(current_table(parcels), rows, TableProgress(0, 10))
    assert delete_keys(PROJECT, lake, FORGET, "parcels", ["a"])["current/parcels"] == 1
    assert set(delete_keys(PROJECT, lake, FORGET, "parcels", ["a"]).values()) == {0}


def weight_in_grams(weight: Any) -> Any:
    """An on-demand feature of the weight."""
    return weight * 1000


def test_a_personal_field_is_personal_in_the_log() -> None:
    """As an input, as a field that only on-demand features read, and as what these compute of it."""
    source = replace(parcels, fields={**parcels.fields, "weight": number(nullable=True, pii=True)})
    as_input = replace(late_parcel, request=source)
    read_on_demand = replace(as_input, inputs=("depot",), on_demand=(weight_in_grams,))
    for model, personal in ((as_input, {"weight"}), (read_on_demand, {"sent_weight", "weight_in_grams"})):
        assert catalogue(project_of([model]))["predictions/late_parcel"].personal == personal
