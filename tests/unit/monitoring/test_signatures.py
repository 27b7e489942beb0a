"""Proves that each answer is checked by the definition of the version that gave it, whatever is deployed now."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from smallbox.define import FeatureView, count
from smallbox.define.log_columns import logged_types
from smallbox.define.model import Model
from smallbox.define.project import project_of
from smallbox.lake.names import predictions_table, records_table
from smallbox.lake.schemas import prediction_schema, records_to_table
from smallbox.monitoring.check import CheckTask
from smallbox.monitoring.served_predictions import profile_of
from smallbox.records import Record
from smallbox.registry.routing import first_champion
from smallbox.registry.signatures import Signatures
from smallbox.registry.store import Registry
from smallbox.times import DAY, HOUR, format_moment
from tests.fakes.documents import FakeDocuments
from tests.fakes.edges import FakeBlobs, FakeMeter, FakeNotices
from tests.fakes.lake import FakeLake
from tests.fakes.online import AppliedRecords
from tests.fakes.small import deliveries, late_parcel, parcels
from tests.fakes.versions import add_version

NOW = 100 * DAY
ASKED = NOW - 6 * HOUR
"""When every prediction was asked: three deliveries were half an hour ago, five more ten days ago."""


def _counting(window: str) -> FeatureView:
    return FeatureView("depot", entity="depot", source=deliveries, features={"deliveries": count(window)})


HOURLY = replace(late_parcel, views=(_counting("1h"),))
MONTHLY = replace(late_parcel, views=(_counting("30d"),), inputs=("weight",))
NEITHER = replace(late_parcel, views=(_counting("7d"),))
"""What is deployed now: a third window of the same name."""


def _lake() -> FakeLake:
    lake = FakeLake()
    times = [ASKED - HOUR // 2] * 3 + [ASKED - 10 * DAY] * 5
    records = [
        Record(
            "deliveries", f"d{n}", time, time, time,
            {"parcel_id": f"d{n}", "delivered_at": time, "depot": "north", "delay": 1.0, "late": False},
        )
        for n, time in enumerate(times)
    ]  # fmt: skip
    lake.append(records_table(deliveries), records_to_table(deliveries, records))
    sent = Record("parcels", "p", ASKED, ASKED, ASKED, {"parcel_id": "p", "sent_at": ASKED, "depot": "north"})
    lake.append(records_table(parcels), records_to_table(parcels, [sent]))
    return lake


def _log(model: Model, version: int, served: float, *, rows: int = 300, weight: float = 0.0) -> pa.Table:
    """Predictions of a version, each with the same count, and with weights around a mean; the first days have some."""
    random = np.random.default_rng(version)
    time = np.where(np.arange(rows) % 3 == 0, ASKED - 6 * DAY, ASKED)
    logged = [
        {
            "id": f"{version}-{n}", "key": "p", "time": int(at), "event_time": int(at), "version": version,
            "arm": "champion", "channel": "online", "score": float(random.random()),
            "weight": float(random.normal(weight)), "depot": "north", "entity_depot": "north",
            "deliveries": served if at == ASKED else (5.0 if served > 5 else 0.0),
        }
        for n, at in enumerate(time)
    ]  # fmt: skip
    return pa.Table.from_pylist(logged, schema=prediction_schema(logged_types(model)))


class World:
    """Two versions of other windows, of which the first is champion, and the log that they have written."""

    def __init__(self, *logs: pa.Table) -> None:
        self.lake, self.blobs, self.registry, self.metrics = (
            _lake(),
            FakeBlobs(),
            Registry(FakeDocuments()),
            FakeDocuments(),
        )
        for rows in logs:
            self.lake.append(predictions_table(late_parcel.name), rows)
        for number, model in enumerate((HOURLY, MONTHLY), start=1):
            add_version(self.registry, model, profile_key=f"profile {number}")
            of_training = profile_of(model, _log(model, number, 3.0))
            self.blobs.put(f"profile {number}", json.dumps(of_training).encode())
        self.registry.route(late_parcel.name, first_champion(1, 0))
        self.project = project_of([NEITHER], [deliveries])
        self.signatures = Signatures(self.project, self.registry, self.blobs)

    def promote(self, number: int) -> None:
        """Make another version champion."""
        routing = self.registry.routing(late_parcel.name)
        assert routing is not None
        self.registry.route(late_parcel.name, replace(routing, champion=number))

    def check(self) -> Mapping[str, Mapping[str, Any]]:
        """The checks of the day by name."""
        stores = self.lake, self.blobs, self.registry, self.signatures, self.metrics
        task = CheckTask(self.project, *stores, FakeMeter(), FakeNotices(), online=AppliedRecords())
        task.run({"model": late_parcel.name, "as_of": format_moment(NOW)})
        report = self.metrics.get(f"model#{late_parcel.name}", "latest")
        assert report is not None
        return {check["name"]: check for check in report["checks"]}


HOURLY_LOG, MONTHLY_LOG = _log(HOURLY, 1, 3.0), _log(MONTHLY, 2, 8.0)


def test_two_windows_of_one_name_have_no_skew() -> None:
    """Three in an hour by the one, eight in a month by the other: both are right, and all rows are counted."""
    skew = World(HOURLY_LOG, MONTHLY_LOG).check()["skew:deliveries"]
    assert (skew["value"], skew["rows"]) == (0, 400)


@pytest.mark.parametrize("version", [1, 2])
def test_a_wrong_value_of_either_version_is_found(version: int) -> None:
    """One value that is right for the other version only is one of 400 that differ."""
    right, wrong = {1: (HOURLY_LOG, 8.0), 2: (MONTHLY_LOG, 3.0)}[version]
    other = MONTHLY_LOG if version == 1 else HOURLY_LOG
    values = right["deliveries"].to_pylist()
    values[1] = wrong
    planted = right.set_column(right.column_names.index("deliveries"), "deliveries", pa.array(values))
    assert World(planted, other).check()["skew:deliveries"]["value"] == 1 / 400


def test_a_sent_field_is_compared_for_the_versions_that_read_it() -> None:
    """The depot is an input of one version, the weight of both: each has the rows of those who took it."""
    checks = World(HOURLY_LOG, MONTHLY_LOG).check()
    assert (checks["sent:depot"]["rows"], checks["sent:weight"]["rows"]) == (200, 400)
    assert checks["sent:depot"]["value"] == 0


def test_drift_is_of_the_rows_that_were_answered_as_the_champion_answers() -> None:
    """Weights of the other version that moved are no drift of the champion, and are once that one is champion."""
    world = World(HOURLY_LOG, _log(MONTHLY, 2, 8.0, weight=3.0))
    checks = world.check()
    assert (checks["psi:weight"]["rows"], checks["psi:weight"]["value"] > 0.5) == (200, False)
    assert "psi:depot" in checks
    world.promote(2)
    checks = world.check()
    assert (checks["psi:weight"]["rows"], checks["psi:weight"]["value"] > 0.5) == (200, True)
    assert "psi:depot" not in checks, "the depot is no input of this champion"


def test_versions_of_one_signature_are_one_distribution() -> None:
    """A canary of the same definition has its rows in the champion's distribution."""
    world = World(HOURLY_LOG, MONTHLY_LOG, _log(HOURLY, 3, 3.0))
    add_version(world.registry, HOURLY)
    assert world.check()["psi:weight"]["rows"] == 400


def test_a_version_whose_definition_is_lost_is_a_breach_of_its_own() -> None:
    """Its rows cannot be audited, and say so; the rows of the others are audited as ever."""
    world = World(HOURLY_LOG, _log(MONTHLY, 9, 8.0))
    checks = world.check()
    assert (checks["lost:version_9"]["breached"], checks["lost:version_9"]["rows"]) == (True, 200)
    assert (checks["skew:deliveries"]["value"], checks["skew:deliveries"]["rows"]) == (0, 200)
