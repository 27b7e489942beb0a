"""Proves that rows from before a change of the contract stay readable, wherever the lake is read."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pytest

from smallbox.aws.delta_lake import DeltaLake
from smallbox.define import FeatureView, attribute, label, mean, number, text
from smallbox.define.attributes import Attributes
from smallbox.define.log_columns import logged_types
from smallbox.define.model import Model
from smallbox.define.project import project_of
from smallbox.define.source import Source
from smallbox.features.inputs.point_in_time_join import historical_features
from smallbox.features.online.rebuilder import Rebuilder
from smallbox.features.online.states import state_key
from smallbox.features.windows.state import WINDOW_STATES
from smallbox.feedback.join import JoinTask
from smallbox.lake.current_rows import bring_forward
from smallbox.lake.erasure import delete_keys
from smallbox.lake.names import current_table, predictions_table, records_table
from smallbox.lake.predictions import PredictionLog, logged_table, of_signature
from smallbox.lake.schemas import records_to_table
from smallbox.ports import Between, Lake
from smallbox.profiles.store import ProfileStore
from smallbox.records import Record, Value
from smallbox.registry.store import Registry
from smallbox.times import DAY, HOUR
from smallbox.training.dataset_rows import build_dataset
from tests.fakes.documents import FakeDocuments
from tests.fakes.edges import FakeBlobs
from tests.fakes.lake import FakeLake
from tests.fakes.online import FakeOnlineStore
from tests.fakes.small import deliveries, late_parcel, parcels

NOW: Final = 30 * DAY
TIPPED: Final = replace(deliveries, fields={**deliveries.fields, "tip": number(nullable=True)})
"""The contract after a field was added."""

LESS: Final = replace(TIPPED, fields={name: field for name, field in TIPPED.fields.items() if name != "delay"})
"""The contract after another field was removed."""

TIPS: Final = FeatureView("tips", "depot", TIPPED, {"tip_3h": mean("tip", "3h")})
FACTS: Final = Attributes("facts", "depot", TIPPED, {"latest_tip": attribute("tip")})


@pytest.fixture(params=["fake", "delta"])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Lake:
    """A lake with two deliveries from before the field ``tip`` was added."""
    lake: Lake = FakeLake() if request.param == "fake" else DeltaLake(str(tmp_path), options={})
    _append(lake, deliveries, {"a": {"delay": 1.0}, "b": {"delay": 2.0}}, NOW - 2 * HOUR)
    return lake


def _append(lake: Lake, source: Source, values: Mapping[str, Mapping[str, Value]], time: int) -> None:
    """Records of that source and moment by key; what is not said is null, and the depot is north."""
    empty: dict[str, Value] = {**dict.fromkeys(source.fields), "depot": "north", "late": False, source.time: time}
    records = [
        Record(source.name, key, time, time, time, {**empty, source.key: key, **said}) for key, said in values.items()
    ]
    lake.append(records_table(source), records_to_table(source, records))


def _features(lake: Lake, model: Model) -> list[float]:
    entities = {view.name: ["north"] for view in model.views}
    return [float(value) for value in historical_features(model, lake, entities, np.array([NOW])).numeric[0]]


def test_a_feature_of_a_field_that_no_row_has_yet_is_missing(lake: Lake) -> None:
    """The point-in-time join reads nothing of the new field; once a record has it, it counts beside the old ones."""
    model = replace(late_parcel, views=(TIPS, FACTS))
    assert np.isnan(_features(lake, model)).all()
    _append(lake, TIPPED, {"c": {"delay": 3.0, "tip": 4.0}}, NOW - HOUR)
    assert _features(lake, model) == [4.0, 4.0]


def test_states_of_a_new_field_are_rebuilt_from_rows_without_it(lake: Lake) -> None:
    """A rebuild of every state, and one of some records, before and after a row has the field."""
    store = FakeOnlineStore()
    rebuilder = Rebuilder(TIPPED, [TIPS], lake, store, lambda _: None)
    assert rebuilder.materialize(NOW).states == 1
    assert np.isnan(_online(store))
    _append(lake, TIPPED, {"c": {"delay": 3.0, "tip": 4.0}}, NOW - HOUR)
    rebuilder.correct(["c"], NOW)
    assert _online(store) == 4.0


def _online(store: FakeOnlineStore) -> float:
    key = state_key(TIPS, "north")
    return float(WINDOW_STATES.numbers(TIPS, WINDOW_STATES.unpack(TIPS, store.read([key])[key].packed), NOW)[0])


def test_the_current_rows_follow_the_contract(lake: Lake) -> None:
    """A row from before a field has null there, and a record that came after a field was removed has null in that."""
    bring_forward(deliveries, lake, NOW - 2 * HOUR)
    assert bring_forward(TIPPED, lake, NOW - 2 * HOUR) is not None
    _append(lake, TIPPED, {"b": {"delay": 3.0, "tip": 4.0}}, NOW - HOUR)
    bring_forward(TIPPED, lake, NOW - HOUR)
    assert _current(lake) == {"a": (1.0, None), "b": (3.0, 4.0)}
    _append(lake, LESS, {"b": {"tip": 5.0}, "c": {"tip": 6.0}}, NOW)
    bring_forward(LESS, lake, NOW)
    assert _current(lake) == {"a": (1.0, None), "b": (None, 5.0), "c": (None, 6.0)}


def _current(lake: Lake) -> dict[str, tuple[Any, Any]]:
    rows = lake.read(current_table(deliveries))
    assert rows is not None
    return {row["key"]: (row["delay"], row["tip"]) for row in rows.to_pylist()}


def test_a_table_of_current_rows_may_begin_with_the_newer_contract(lake: Lake) -> None:
    """The table's first rows are from before the field; later ones have it."""
    bring_forward(TIPPED, lake, NOW - 2 * HOUR)
    _append(lake, TIPPED, {"c": {"tip": 4.0}}, NOW - HOUR)
    bring_forward(TIPPED, lake, NOW)
    assert _current(lake) == {"a": (1.0, None), "b": (2.0, None), "c": (None, 4.0)}


def tip_of(wish: Any) -> Any:
    """An on-demand feature of a request field that was added."""
    return wish * 2


def test_a_dataset_has_requests_from_before_a_field(lake: Lake) -> None:
    """An input and an on-demand feature of a new field are missing in old requests, also once others have it."""
    asked = replace(
        parcels,
        fields={**parcels.fields, "wish": number(nullable=True), "note": text(nullable=True)},
    )
    inputs = ("weight", "depot", "note")
    model = replace(late_parcel, request=asked, inputs=inputs, on_demand=(tip_of,))
    _append(lake, deliveries, {"a": {}, "b": {}}, NOW - 2 * DAY + HOUR)
    _append(lake, parcels, {"a": {"weight": 1.0}}, NOW - 2 * DAY)
    assert _requests(lake, model) == {"a": ("", None)}
    _append(lake, asked, {"b": {"weight": 1.0, "wish": 3.0, "note": "fragile"}}, NOW - 2 * DAY)
    assert _requests(lake, model) == {"a": ("", None), "b": ("fragile", 6.0)}


def _requests(lake: Lake, model: Model) -> dict[str, tuple[str, float | None]]:
    rows = build_dataset(project_of([model]), model, lake, NOW).rows.to_pylist()
    return {row["key"]: (row["note"], None if np.isnan(row["tip_of"]) else row["tip_of"]) for row in rows}


def test_outcomes_join_by_a_field_that_no_row_has_yet(lake: Lake) -> None:
    """A label whose field was added has no outcome so far, and a deletion by that field finds no request."""
    outcomes = replace(deliveries, fields={**deliveries.fields, "parcel": text(nullable=True)})
    model = replace(late_parcel, views=(), label=label(outcomes, on="parcel", value="late", within="24h"))
    logged: dict[str, list[Any]] = {
        "id": ["1"], "key": ["a"], "time": [NOW - DAY], "event_time": [NOW - DAY], "version": [0],
        "channel": ["online"],
    }  # fmt: skip
    lake.append(predictions_table(model.name), logged_table(logged_types(model), logged))
    project = project_of([model], [outcomes])
    joined = JoinTask(project, lake, Registry(FakeDocuments()), FakeDocuments()).run({"model": model.name}, NOW)
    assert joined["feedback"]["labelled"] == 0
    assert (
        delete_keys(project, lake, ProfileStore(FakeBlobs()).forget, "deliveries", ["a"])["labelled/late_parcel"] == 0
    )


def test_the_log_is_read_with_columns_that_came_later(lake: Lake) -> None:
    """A prediction from before an input was added has null there."""
    logged: dict[str, list[Any]] = {"id": ["1"], "key": ["a"], "time": [5], "event_time": [5]}
    lake.append(predictions_table(late_parcel.name), logged_table(logged_types(late_parcel), logged))
    model = replace(late_parcel, views=(TIPS,))
    rows = of_signature(PredictionLog(lake).read(model.name, Between("time", 0, 9)), model)
    assert rows["tip_3h"].to_pylist() == [None]
    lake.append(predictions_table("older"), pa.table({"id": ["1"], "time": [5]}))
    assert PredictionLog(lake).read("older", Between("time", 0, 9))["event_time"].to_pylist() == [5]
