"""Proves which records make the outcome of a unit, against a slow second computation and case by case."""

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallbox.define import Source, integer, number, outcome, text, timestamp
from smallbox.define.experiments import Outcome
from smallbox.errors import NotReady
from smallbox.lake.names import records_table
from smallbox.lake.schemas import records_to_table
from smallbox.records import Record, Value
from smallbox.release.unit_outcomes import unit_outcomes
from smallbox.times import HOUR
from tests.fakes.lake import FakeLake

ORDERS = Source(
    "orders",
    key="order_id",
    time="at",
    fields={
        "order_id": text(),
        "at": timestamp(),
        "who": text(nullable=True),
        "desk": integer(),
        "amount": number(nullable=True),
    },
    known_after="0s",
)
AMOUNT = outcome(ORDERS, value="amount", on="who", within="10h")


@dataclass(frozen=True)
class Order:
    """A version of a record; moments in hours."""

    key: str
    who: str | None
    amount: float | None
    at: int
    known: int


def _lake(orders: list[Order]) -> FakeLake:
    lake = FakeLake()
    for received, order in enumerate(orders):
        values: dict[str, Value] = {
            "order_id": order.key,
            "at": order.at * HOUR,
            "who": order.who,
            "desk": 7,
            "amount": order.amount,
        }
        record = Record("orders", order.key, order.at * HOUR, order.known * HOUR, received, values)
        lake.append(records_table(ORDERS), records_to_table(ORDERS, [record]))
    return lake


def _units(first: dict[str, int]) -> pa.Table:
    names = list(first)
    times = [hour * HOUR for hour in first.values()]
    return pa.table({"unit": names, "key": [f"k-{name}" for name in names], "time": times})


def _outcomes(measured: Outcome, orders: list[Order], units: dict[str, int]) -> list[float]:
    table = _units(units)
    return list(map(float, unit_outcomes(measured, ORDERS, _lake(orders), table, lambda _start, _end: table)))


def _slowly(orders: list[Order], first: int, who: str) -> float:
    """The sum by the words of the definition."""
    latest: dict[str, Order] = {}
    for order in sorted(orders, key=lambda one: one.known):
        if order.who == who and first < order.known <= first + 10 and order.at >= first:
            latest[order.key] = order
    return sum(order.amount or 0.0 for order in latest.values())


OWNED = {"a1": "a", "a2": "a", "b1": "b", "c1": None}
ORDER = st.builds(
    lambda key, *rest: Order(key, OWNED[key], *rest),
    st.sampled_from(list(OWNED)),
    st.sampled_from([1.0, 2.0, 4.0, None]),
    st.integers(0, 20),
    st.integers(0, 25),
)


@given(st.lists(ORDER, max_size=8, unique_by=lambda one: one.known), st.integers(0, 9), st.integers(0, 9))
def test_a_sum_is_that_of_the_definition(orders: list[Order], a: int, b: int) -> None:
    """Over records that are corrected, retracted, early and late, for two units."""
    assert _outcomes(AMOUNT, orders, {"a": a, "b": b}) == [_slowly(orders, a, "a"), _slowly(orders, b, "b")]


def test_what_is_known_before_the_exposure_or_after_the_window_does_not_count() -> None:
    """Known at the moment of the exposure is before it; known at the end of the window is within."""
    orders = [Order(f"o{known}", "a", 2.0**n, 5, known) for n, known in enumerate((5, 6, 15, 16))]
    assert _outcomes(AMOUNT, orders, {"a": 5}) == [2.0 + 4.0]


def test_an_event_before_the_exposure_counts_only_by_its_key() -> None:
    """An order from before is none of the version's doing; an outcome of the unit's own request is, whenever it was."""
    early = [Order("o1", "a", 3.0, 2, 6), Order("o2", "k-a", 5.0, 2, 6)]
    assert _outcomes(AMOUNT, early, {"a": 5}) == [0.0]
    assert _outcomes(replace(AMOUNT, by="key"), early, {"a": 5}) == [5.0]


def test_a_unit_has_the_outcomes_of_all_its_requests_in_the_window() -> None:
    """Joined by key, those of requests after the window are left out."""
    units = _units({"a": 0})
    requests = pa.table(
        {"unit": ["a", "a", "a", "b"], "key": ["1", "2", "3", "4"], "time": [0, 9 * HOUR, 10 * HOUR, 1]}
    )
    orders = [Order(f"o{n}", str(n), 2.0**n, 1, 5) for n in (1, 2, 3, 4)]
    found = unit_outcomes(replace(AMOUNT, by="key"), ORDERS, _lake(orders), units, lambda _start, _end: requests)
    assert found.tolist() == [2.0 + 4.0]


def test_a_unit_without_a_record_is_0_or_does_not_count() -> None:
    """As the definition says; a record whose value is null is a record."""
    orders = [Order("o1", "b", None, 5, 6)]
    assert _outcomes(AMOUNT, orders, {"a": 5, "b": 5}) == [0.0, 0.0]
    found = _outcomes(replace(AMOUNT, otherwise=None), orders, {"a": 5, "b": 5})
    assert np.isnan(found[0])
    assert found[1] == 0.0


def test_units_that_are_whole_numbers_are_matched_as_texts() -> None:
    """A field of another type is read without a filter, and matched all the same."""
    assert _outcomes(replace(AMOUNT, on="desk"), [Order("o1", None, 3.0, 5, 6)], {"7": 5, "8": 5}) == [3.0, 0.0]


def test_a_lost_field_is_named() -> None:
    """A deployment that removed it stops the looks with a sentence, not with a stack trace."""
    with pytest.raises(NotReady, match="has no field 'price' any more"):
        _outcomes(replace(AMOUNT, value="price"), [], {"a": 5})
    assert not len(unit_outcomes(AMOUNT, ORDERS, FakeLake(), _units({}), lambda _start, _end: _units({})))
