"""Proves the checks: each sees its own trouble, stays silent otherwise, and says nothing on few rows."""

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallbox.define import Attributes, attribute
from smallbox.define.rules import Monitor
from smallbox.errors import DefinitionError
from smallbox.features.inputs.assembly import Inputs
from smallbox.monitoring.check_rules import (
    SourceDayStats,
    data_checks,
    drift_checks,
    fallback_check,
    newest_age,
    skew_checks,
)
from smallbox.monitoring.report import Check, breaches_of, report_of
from smallbox.monitoring.skew import Skew, ValueSkew, compare_served
from smallbox.times import HOUR
from smallbox.training.examples import frame
from smallbox.training.profile import profile
from tests.fakes.small import dataset, deliveries, depot, late_parcel, parcels

RULE = Monitor(max_quarantined=0.05, min_volume=0.3, min_coverage=0.5)


def breached(checks: list[Check]) -> list[str]:
    """The names of the checks that breached."""
    return [check.name for check in checks if check.breached]


@pytest.mark.parametrize(
    ("accepted", "quarantined", "usual", "names"),
    [
        (1000, 10, 1000.0, []),
        (1000, 100, 1000.0, ["quarantined:parcels"]),
        (200, 0, 1000.0, ["volume:parcels"]),
        (0, 0, 1000.0, ["volume:parcels"]),
        (0, 0, 0.0, []),
    ],
)
def test_a_source_is_watched_for_rejects_and_for_silence(
    accepted: int, quarantined: int, usual: float, names: list[str]
) -> None:
    """Too many rejected records breach, and so do too few, also when none came at all; a new source does not."""
    assert breached(data_checks(RULE, parcels, SourceDayStats(accepted, quarantined, usual))) == names


@pytest.mark.parametrize(
    ("volume", "accepted", "breaches", "limit"),
    [
        ((800, 1200), 799, True, 800),
        ((800, 1200), 800, False, 800),
        ((800, 1200), 1200, False, 800),
        ((800, 1200), 1201, True, 1200),
        (800, 10**6, False, 800),
        (800, 0, True, 800),
        (0, 0, False, 0),
    ],
)
def test_a_declared_volume_takes_the_place_of_the_usual(
    volume: int | tuple[int, int],
    accepted: int,
    breaches: bool,  # noqa: FBT001 - an expected value
    limit: int,
) -> None:
    """Too few and too many records breach, whatever was usual, and the limit is the one that was crossed."""
    source = replace(parcels, volume=volume)
    (check,) = [
        c for c in data_checks(RULE, source, SourceDayStats(accepted, 0, 10.0**9)) if c.name == "volume:parcels"
    ]
    assert (check.breached, check.limit) == (breaches, limit)


@pytest.mark.parametrize(
    ("age", "value", "breaches"),
    [(HOUR, 1.0, False), (2 * HOUR, 2.0, False), (3 * HOUR, 3.0, True), (None, None, True)],
)
def test_freshness_is_the_age_of_the_newest(age: int | None, value: float | None, breaches: bool) -> None:  # noqa: FBT001
    """A newest record beyond the declared age breaches, and so does none at all; undeclared there is no check."""
    (check,) = data_checks(RULE, replace(parcels, freshness="2h"), SourceDayStats(5, 0, 5.0, age))[2:3]
    assert (check.name, check.value, check.limit, check.breached) == ("freshness_hours:parcels", value, 2.0, breaches)
    assert data_checks(RULE, parcels, SourceDayStats(5, 0, 5.0, age))[2:-2] == []


def test_neither_old_records_nor_those_of_tomorrow_are_news() -> None:
    """Age is counted from the event time plus its delay, or from when a record became known, the earlier of both."""
    times, known = np.array([0, 5 * HOUR, 30 * HOUR]), np.array([9 * HOUR, 9 * HOUR, 8 * HOUR])
    when_received = replace(parcels, known_after=None)
    assert newest_age(when_received, times[:2], known[:2], 10 * HOUR) == 5 * HOUR
    assert newest_age(when_received, times, known, 10 * HOUR) == 2 * HOUR
    ahead = replace(parcels, known_after="-1d")
    assert newest_age(ahead, times[2:], times[2:] - 24 * HOUR, 10 * HOUR) == 4 * HOUR
    assert newest_age(parcels, times[:0], known[:0], 10 * HOUR) is None


def test_skew_is_any_value_that_differs() -> None:
    """Both missing is equal; one missing, or a last bit, is not. How many may differ is the rule's."""
    model = replace(late_parcel, views=(depot, size), inputs=("weight",))
    log = pa.table({"depot_delay_3h": [1.0, 0.1 + 0.2], "size_delay": [np.nan, 4.0], "size_name": ["a", "b"]})
    same = inputs([[9.0, 1.0, np.nan], [9.0, 0.1 + 0.2, 4.0]], ["a", "b"])
    other = inputs([[9.0, 1.0, 2.0], [9.0, 0.3, 4.0]], ["a", "c"])
    nothing = {"depot_delay_3h": ValueSkew(), "size_delay": ValueSkew(), "size_name": ValueSkew()}
    assert compare_served(model, log, same) == Skew(2, nothing)
    found = compare_served(model, log, other)
    changed = ValueSkew(1, error=(0.1 + 0.2) - 0.3)
    kinds = {"depot_delay_3h": changed, "size_delay": ValueSkew(missing=1), "size_name": ValueSkew(1)}
    assert found == Skew(2, kinds)
    assert (found.values, found.unequal) == (6, 3)
    assert breached(skew_checks(Monitor(max_skew=0), [Skew(2, nothing)])) == []
    assert breached(skew_checks(Monitor(max_skew=0), [found])) == [f"skew:{name}" for name in nothing]


@given(st.integers(1, 200), st.integers(0, 60))
def test_skew_of_one_feature_does_not_depend_on_how_many_there_are(wrong: int, others: int) -> None:
    """What breaches alone breaches among any number of features that are right: nothing is averaged over them."""
    rule = Monitor(max_skew=0.01)
    alone = breached(skew_checks(rule, [Skew(200, {"wrong": ValueSkew(wrong)})]))
    among = breached(
        skew_checks(rule, [Skew(200, {"wrong": ValueSkew(wrong)} | {f"right_{n}": ValueSkew() for n in range(others)})])
    )
    assert among == alone
    assert (alone == ["skew:wrong"]) == (wrong >= 5)


size = Attributes("size", "depot", deliveries, {"size_delay": attribute("delay"), "size_name": attribute("parcel_id")})


def inputs(numeric: list[list[float]], texts: list[str]) -> Inputs:
    """Inputs of a weight, which nobody adds, of two numbers and a text that the store adds."""
    return Inputs(np.array(numeric), np.array(texts, dtype=object)[:, None], np.zeros((len(texts), 0), bool))


def profiles(rows: pa.Table, reference: dict[str, Any] | None = None) -> dict[str, Any]:
    """The profile of a dataset, the score made of the weight."""
    inputs = frame(late_parcel.columns, rows)
    values = {name: inputs[name].to_numpy() for name in late_parcel.columns.names}
    outputs = {"score": np.nan_to_num(values["weight"])}
    return profile(late_parcel.columns, tuple(outputs), values | outputs, reference)


def moved(name: str, column: pa.Array) -> pa.Table:
    """Another sample of the dataset, one column replaced."""
    rows = dataset(1000, seed=2)
    return rows.set_column(rows.column_names.index(name), name, column)


HEAVY = pa.array(np.random.default_rng(2).normal(1.5, 1, 1000).astype(np.float32))
LOST = pa.array(np.full(1000, np.nan, np.float32))


@pytest.mark.parametrize(
    ("seen", "names"),
    [
        (dataset(1000, seed=2), []),
        (moved("weight", HEAVY), ["psi:weight", "psi:score"]),
        (moved("depot_delay_3h", LOST), ["missing:depot_delay_3h"]),
        (moved("depot", pa.array(["elsewhere"] * 1000)), ["psi:depot"]),
    ],
    ids=["the same", "heavier", "lost", "elsewhere"],
)
def test_the_distance_shows_the_column_that_moved(seen: pa.Table, names: list[str]) -> None:
    """Far is only the column that moves, or goes missing; the distance is shown, and breaches nothing."""
    reference = profiles(dataset(5000, seed=1))
    checks = drift_checks(late_parcel, reference, profiles(seen, reference))
    assert [check.name for check in checks if (check.value or 0) > 0.2] == names
    assert breached(checks) == []


def test_breaches_are_counted_by_kind() -> None:
    """Each kind has its count, a kind without breach zero, and the sentences are of the breaches alone."""
    check = Check("features", "psi:weight", 0.5, 0.25, breached=True, rows=1000)
    checks = [check, check, replace(check, kind="accuracy", breached=False)]
    assert breaches_of(checks) == {"data": 0, "features": 2, "predictions": 0, "accuracy": 0}
    assert report_of("m", "d", "t", checks)["sentences"] == [
        "features psi:weight is 0.5, limit 0.25, on 1000 rows"
    ] * 2  # fmt: skip


def test_the_fallbacks_share_is_a_figure() -> None:
    """Three of five answers by the fallback breach; one of a hundred may be."""
    assert fallback_check(Monitor(), 3, 5).breached
    assert not fallback_check(Monitor(), 1, 100).breached


@pytest.mark.parametrize("days", ["2026-12-25", ("25.12.2026",), (25,)])
def test_days_that_are_left_out_are_written_as_days(days: object) -> None:
    """A text that is no day, a number, or a text where a tuple belongs is refused with what to write."""
    with pytest.raises(DefinitionError, match="2026-12-25"):
        Monitor(left_out=days)  # type: ignore[arg-type]
