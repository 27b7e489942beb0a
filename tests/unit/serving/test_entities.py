"""Who a question is about, by one rule: what is null or empty is nobody, trained, served, scored and audited."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from smallbox.define import Attributes, FeatureView, attribute, count
from smallbox.define.log_columns import logged_types
from smallbox.features.inputs.point_in_time_join import historical_features
from smallbox.lake.names import records_table
from smallbox.lake.predictions import logged_table
from smallbox.lake.schemas import records_to_table
from smallbox.monitoring.skew import skew_of
from smallbox.records import Record, Value
from smallbox.serving.logged_answers import Answered, Asked, logged
from smallbox.serving.vectors import entities_by_view, online_vectors
from smallbox.table_columns import ENTITY_PREFIX
from smallbox.times import HOUR, Moment, parse_day
from smallbox.training.dataset_rows import inputs_of
from tests.fakes.lake import FakeLake
from tests.fakes.online import FakeOnlineStore
from tests.fakes.serving import Serving
from tests.fakes.small import deliveries, late_parcel

NOW = parse_day("2013-01-15")
single = FeatureView("single", "depot", deliveries, {"n_24h": count("24h")})
pair = FeatureView("pair", ("depot", "parcel_id"), deliveries, {"m_24h": count("24h")})
facts = Attributes("facts", "depot", deliveries, {"known_delay": attribute("delay")})
model = replace(late_parcel, views=(single, pair, facts))
DEPOTS = ("", None, "north")


@pytest.fixture
def lake_and_store() -> tuple[FakeLake, FakeOnlineStore]:
    """Three deliveries of a depot without a name, and three of another, in the lake and in the store."""
    serving = Serving(model)
    records = []
    for depot in ("", "north"):
        for n in range(3):
            key, time = f"{depot}{n}", NOW - HOUR
            said: dict[str, Value] = {"parcel_id": key, "delivered_at": time, "depot": depot, "delay": 42.0}
            records.append(Record("deliveries", key, time, time, time, {**said, "late": True}))
    serving.lake.append(records_table(deliveries), records_to_table(deliveries, records))
    serving.stream(records, NOW)
    return serving.lake, serving.online


def _asked() -> list[dict[str, Value]]:
    return [{"parcel_id": f"{depot or ''}0", "sent_at": NOW, "depot": depot, "weight": 1.0} for depot in DEPOTS]


def test_nobody_has_no_features_wherever_they_are_asked(lake_and_store: tuple[FakeLake, FakeOnlineStore]) -> None:
    """Served, scored and trained alike: an empty or missing name has a count of nothing and no facts."""
    lake, store = lake_and_store
    instances = _asked()
    served = online_vectors(model, instances, store, Moment(NOW)).inputs.numeric
    moments = np.full(len(instances), NOW, np.int64)
    scored = historical_features(model, lake, entities_by_view(model, instances), moments).numeric
    requests = [Record("parcels", str(i["parcel_id"]), NOW, NOW, NOW, i) for i in instances]
    trained = inputs_of(model, lake, records_to_table(model.request, requests)).numeric
    expected = [[0, 0, np.nan], [0, 0, np.nan], [3, 1, 42]]
    stored = [model.columns.numeric.index(name) for name in ("n_24h", "m_24h", "known_delay")]
    np.testing.assert_array_equal(served[:, stored], expected)
    np.testing.assert_array_equal(scored, expected)
    np.testing.assert_array_equal(trained, served)
    assert {key.entity for key in store.states} == {"north", "north|north0", "north|north1", "north|north2"}


def test_the_audit_recomputes_what_was_served_to_nobody(lake_and_store: tuple[FakeLake, FakeOnlineStore]) -> None:
    """The log has no entity for it, not an empty one, and the audit of its row finds nothing unequal."""
    lake, store = lake_and_store
    instances = _asked()
    vectors = online_vectors(model, instances, store, Moment(NOW))
    asked = Asked(instances, ["b-0", "b-1", "b-2"], np.full(3, NOW, np.int64), NOW, "online")
    log = logged(asked, Answered(model, vectors, np.full((3, 1), 0.5), "champion", 1, [()] * 3))
    table: pa.Table = logged_table(logged_types(model), log.columns)
    assert table[ENTITY_PREFIX + "single"].to_pylist() == [None, None, "north"]
    assert table[ENTITY_PREFIX + "pair"].to_pylist() == [None, None, "north|north0"]
    skew = skew_of(model, lake, table)
    assert (skew.values, skew.unequal) == (9, 0)
