"""Proves where the check takes the numbers of a day from: stored profiles, else the rows of the log."""

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from smallbox.define import number
from smallbox.define.model import Model
from smallbox.define.project import project_of
from smallbox.lake.names import predictions_table
from smallbox.monitoring.change_watch import ChangeWatch
from smallbox.monitoring.served_checks import ServedChecks
from smallbox.monitoring.served_predictions import profile_of
from smallbox.objectives.objective import Scored
from smallbox.profiles.column_pairs import stream_columns
from smallbox.profiles.store import PROFILES
from smallbox.profiles.stored import ReferenceDays
from smallbox.registry.signatures import Signatures
from smallbox.registry.store import Registry
from smallbox.registry.version import Version
from smallbox.serving.profiled_predictions import PredictionProfiles
from smallbox.statistics.day_streams import DayValue
from smallbox.statistics.profile_numbers import share_number
from smallbox.times import DAY, HOUR
from smallbox.training.examples import examples_of
from smallbox.training.reference_days import reference_days
from tests.fakes.documents import FakeDocuments
from tests.fakes.edges import FakeBlobs
from tests.fakes.lake import FakeLake
from tests.fakes.online import AppliedRecords
from tests.fakes.references import add_version_with_reference
from tests.fakes.small import dataset, late_parcel, parcels
from tests.unit.monitoring.test_served_predictions import MODEL, NOW, log_of


class Day:
    """A champion with a reference by day, whose answers are logged; their profiles are stored too when asked for."""

    def __init__(self, model: Model = MODEL) -> None:
        self.project = project_of([model])
        self.lake, self.blobs, self.registry = FakeLake(), FakeBlobs(), Registry(FakeDocuments())
        self.champion: Version = add_version_with_reference(self.registry, self.blobs, model)
        self.blobs.put(self.champion.profile_key, json.dumps(profile_of(MODEL, log_of(20))).encode())

    def log(self, rows: pa.Table, *, profiled: bool = True) -> None:
        """Log answers."""
        self.lake.append(predictions_table(MODEL.name), rows)
        if profiled:
            PredictionProfiles(self.registry, self.blobs).add(MODEL.name, rows)

    def numbers(self, channel: str = "online", as_of: int = NOW) -> dict[str, DayValue]:
        """The day's numbers."""
        checks = ServedChecks(
            self.lake, Signatures(self.project, self.registry, self.blobs), self.blobs, AppliedRecords()
        )
        (found,) = [p for name, p in checks.of(MODEL, self.champion, as_of).profiles.items() if name == channel]
        return found.numbers()


@pytest.mark.parametrize("channel", ["online", "batch"])
def test_stored_profiles_and_rows_give_the_same_numbers(channel: str) -> None:
    """Whether the profiles of its rows were stored changes no bit of a day, nor do rows of another day."""
    stored, counted = Day(), Day()
    stored.log(log_of(2, weight=0.3, channel=channel))
    counted.log(log_of(2, weight=0.3, channel=channel), profiled=False)
    assert stored.numbers(channel) == counted.numbers(channel)
    assert counted.numbers(channel)["weight:missing"] == share_number(0, 100)


@pytest.mark.parametrize("channel", ["online", "batch"])
def test_the_distributions_of_a_day_are_read_from_its_stored_profiles(channel: str) -> None:
    """Rows that are in the log alone do not count, where a day has profiles."""
    day = Day()
    day.log(log_of(1, channel=channel))
    before = day.numbers(channel)
    day.log(log_of(1, weight=9.0, arm="canary", channel=channel), profiled=False)
    assert day.numbers(channel) == before != {}


def test_a_day_that_does_not_begin_at_an_hour_is_counted_from_its_rows() -> None:
    """Half an hour more would be that of other rows."""
    stored, counted = Day(), Day()
    stored.log(log_of(2, weight=0.3))
    counted.log(log_of(2, weight=0.3), profiled=False)
    as_of = NOW - HOUR // 2
    assert stored.numbers(as_of=as_of) == counted.numbers(as_of=as_of)


def test_the_numbers_are_those_of_the_reference_by_day() -> None:
    """Weights of training lie around the middle, heavier ones above it; a depot it never had is unseen."""
    day = Day()
    day.log(log_of(1, weight=2.0))
    found = day.numbers()
    assert found["weight:location"].value > 0.9
    assert found["depot:unseen"] == share_number(100, 100)
    assert np.isfinite(found["score:location"].value)


def _together(rows: pa.Table, correlation: float, seed: int) -> pa.Table:
    """Rows whose weight and delay are standard normal, with a correlation."""
    draws = np.random.default_rng(seed).standard_normal((2, rows.num_rows))
    draws[1] = correlation * draws[0] + np.sqrt(1 - correlation**2) * draws[1]
    for name, values in zip(("weight", "depot_delay_3h"), draws, strict=True):
        at = rows.column_names.index(name)
        rows = rows.set_column(at, rows.schema.field(at), pa.array(values, rows.schema.field(at).type))
    return rows


def _trained(importance: dict[str, float]) -> ReferenceDays:
    """The reference of the 25 days before the last four, with a correlation of .6."""
    rows, size = dataset(2_500, 0), 2_500
    times = pa.array(NOW - 29 * DAY + np.arange(size) * DAY // 100)
    rows = _together(rows.set_column(rows.column_names.index("time"), "time", times), 0.6, 1)
    examples = examples_of(late_parcel.columns, late_parcel.objective, rows)
    scored = Scored(np.random.default_rng(3).random((size, 1)), examples.labels, np.arange(size))
    return reference_days(late_parcel, examples, np.ones(size, bool), scored, importance)


@pytest.mark.parametrize(("importance", "is_seen"), [({"weight": 0.1, "depot_delay_3h": 0.2}, True), ({}, False)])
def test_a_correlation_that_flips_is_seen_though_no_column_moves(importance: dict[str, float], is_seen: bool) -> None:  # noqa: FBT001
    """From .6 to -.6 on the last four days: only if the version watches the pair an alarm names it, and it alone."""
    day, reference = Day(), _trained(importance)
    served = log_of(4).set_column(log_of(4).column_names.index("depot"), "depot", pa.array(["d1"] * 400))
    day.blobs.put(day.champion.reference_key, reference.to_bytes())
    day.log(_together(served, -0.6, 2), profiled=False)
    watch = ChangeWatch(day.blobs)
    verdicts = [
        watch.judge(
            late_parcel, day.champion, "online", moment // DAY - 1, _inputs(day.numbers(as_of=moment)), reference
        )
        for moment in range(NOW - 3 * DAY, NOW + DAY, DAY)
    ]
    named = {one.name for verdict in verdicts for one in verdict.moved}
    assert named == ({"depot_delay_3h:correlation with weight"} if is_seen else set())


def _inputs(numbers: dict[str, DayValue]) -> dict[str, DayValue]:
    """Of the two columns alone."""
    return {name: one for name, one in numbers.items() if stream_columns(name)[0] in {"weight", "depot_delay_3h"}}


def test_a_column_with_personal_values_has_no_numbers() -> None:
    """Whatever the reference and the stored profiles have of it: a finding would quote them."""
    personal = replace(parcels, fields={**parcels.fields, "weight": number(nullable=True, pii=True)})
    day = Day(replace(MODEL, request=personal))
    day.log(log_of(1))
    assert {one for name in day.numbers() for one in stream_columns(name)} == {"depot", "depot_delay_3h", "score"}


def test_a_version_without_a_reference_by_day_has_no_numbers() -> None:
    """What an earlier release trained is watched by its sources and labels alone."""
    day = Day()
    day.log(log_of(1))
    for key in day.blobs.list(PROFILES):
        day.blobs.delete(key)
    day.champion = replace(day.champion, reference_key="")
    assert day.numbers() == {}
