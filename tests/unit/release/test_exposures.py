"""Proves who counts as exposed: each unit once, by its first request, for the version that it was assigned to."""

from typing import Any

import pyarrow as pa
import pytest

from smallbox.define.frozen import freeze
from smallbox.errors import InvalidInput
from smallbox.lake.names import exposures_table, predictions_table
from smallbox.lake.predictions import PredictionLog, logged_table
from smallbox.registry.routing import RunningExperiment
from smallbox.release.experiment_columns import UnitRequests, check_covariate, unit_column
from smallbox.release.exposures import ExposureBook, _version_of, first_exposures
from smallbox.times import HOUR
from tests.fakes.lake import FakeLake
from tests.fakes.small import late_parcel

RUNNING = RunningExperiment("prices", "ab", ((1, 0.4), (2, 0.4)), "depot")
IN_1, IN_2, OUTSIDE = (
    next(f"u{n}" for n in range(1000) if _version_of(RUNNING, f"u{n}") == version) for version in (1, 2, None)
)


def _log(*rows: tuple[str, int, str, int, str]) -> FakeLake:
    """A log of unit, hour, arm, version and channel."""
    lake = FakeLake()
    columns: dict[str, list[Any]] = {
        "id": [str(n) for n in range(len(rows))],
        "key": [f"k{n}" for n in range(len(rows))],
        "time": [hour * HOUR for _, hour, *_ in rows],
        "event_time": [hour * HOUR for _, hour, *_ in rows],
        "version": [version for *_, version, _ in rows],
        "arm": [arm for _, _, arm, *_ in rows],
        "channel": [channel for *_, channel in rows],
        "depot": [unit or None for unit, *_ in rows],
        "weight": [float(hour) for _, hour, *_ in rows],
    }
    lake.append(predictions_table("late_parcel"), logged_table({"depot": "text", "weight": "number"}, columns))
    return lake


def _requests(lake: FakeLake) -> UnitRequests:
    return UnitRequests(PredictionLog(lake), "late_parcel", {1: "depot", 2: "depot"}, "depot", "weight")


def _exposed(lake: FakeLake, start: int = 0, end: int = 100) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = first_exposures(RUNNING, _requests(lake), start * HOUR, end * HOUR).to_pylist()
    return rows


def test_a_unit_is_exposed_by_its_first_request() -> None:
    """With the covariate of that request; later ones, of whatever version, change nothing."""
    lake = _log(("a", 5, "experiment", 2, "online"), ("a", 3, "experiment", 1, "online"))
    (found,) = _exposed(lake)
    assert found == {
        "experiment": "prices", "unit": "a", "key": "k1", "time": 3 * HOUR, "version": 1, "answered": True,
        "covariate": 3.0,
    }  # fmt: skip


def test_only_what_the_experiment_assigned_counts() -> None:
    """No file, no named version, no champion beside the experiment."""
    rows = [("a", 1, "experiment", 1, "batch"), ("b", 1, "challenger", 1, "pinned"), ("c", 1, "champion", 1, "online")]
    assert _exposed(_log(*rows)) == []


def test_the_fallback_counts_for_the_version_that_could_not_answer() -> None:
    """As not answered; a unit outside the experiment stays outside, whoever answered it."""
    rows = [(unit, 1, "fallback", 0, "online") for unit in (IN_1, IN_2, OUTSIDE)]
    found = _exposed(_log(*rows))
    assert {(one["unit"], one["version"], one["answered"]) for one in found} == {(IN_1, 1, False), (IN_2, 2, False)}


def test_a_request_without_its_unit_is_a_unit_of_its_own() -> None:
    """It was assigned by its key."""
    assert [one["unit"] for one in _exposed(_log(("", 1, "experiment", 1, "online")))] == ["k0"]


def test_a_retry_exposes_nobody_twice() -> None:
    """Neither in the table nor in what is read of it; a later day knows the units of earlier ones."""
    lake = _log(
        ("a", 1, "experiment", 1, "online"), ("a", 30, "experiment", 1, "online"), ("b", 30, "experiment", 2, "online")
    )
    for _ in range(2):
        book = ExposureBook(lake, "late_parcel", "prices", 0)
        for day in (0, 1):
            book.add(first_exposures(RUNNING, _requests(lake), day * 24 * HOUR, (day + 1) * 24 * HOUR))
    rows = lake.read(exposures_table("late_parcel"))
    assert rows is not None
    assert sorted(rows["unit"].to_pylist()) == ["a", "b"]
    lake.append(exposures_table("late_parcel"), rows)
    assert sorted(book.between(0, 48 * HOUR)["unit"].to_pylist()) == ["a", "b"]


def test_who_only_looks_writes_nothing() -> None:
    """The exposures are read as if they were written."""
    lake = _log(("a", 1, "experiment", 1, "online"))
    book = ExposureBook(lake, "late_parcel", "prices", 0, is_kept=False)
    book.add(first_exposures(RUNNING, _requests(lake), 0, 24 * HOUR))
    assert lake.read(exposures_table("late_parcel")) is None
    assert book.between(0, 24 * HOUR)["unit"].to_pylist() == ["a"]
    assert book.between(2 * HOUR, 24 * HOUR).num_rows == 0


def test_another_experiment_has_exposures_of_its_own() -> None:
    """A unit of an earlier one is new to this."""
    lake = _log(("a", 1, "experiment", 1, "online"))
    for name in ("before", "prices"):
        running = RunningExperiment(name, "ab", RUNNING.weights, "depot")
        ExposureBook(lake, "late_parcel", name, 0).add(first_exposures(running, _requests(lake), 0, 24 * HOUR))
    assert ExposureBook(lake, "late_parcel", "prices", 0).between(0, 24 * HOUR).num_rows == 1


def test_the_unit_is_found_where_the_log_has_it() -> None:
    """The key, an input, or a refusal that says what there is."""
    signature = freeze(late_parcel)
    assert unit_column(signature, "") == unit_column(signature, "parcel_id") == "key"
    assert unit_column(signature, "depot") == "depot"
    with pytest.raises(
        InvalidInput, match="no column of the unit 'customer'; it has those of depot, parcel_id, weight"
    ):
        unit_column(signature, "customer")
    with pytest.raises(InvalidInput, match="must be a text or a whole number"):
        unit_column(signature, "weight")


def test_the_covariate_is_a_numeric_column_that_is_not_personal() -> None:
    """Else the refusal names those that there are."""
    signature = freeze(late_parcel)
    check_covariate(signature, "depot_delay_3h", frozenset())
    for name, personal in (("depot", frozenset[str]()), ("weight", frozenset({"weight"}))):
        with pytest.raises(InvalidInput, match="late_parcel has "):
            check_covariate(signature, name, personal)


def test_an_empty_log_exposes_nobody() -> None:
    """Also before the first prediction of a model."""
    assert _exposed(FakeLake()) == []
    assert isinstance(_requests(FakeLake()).between(0, HOUR), pa.Table)
