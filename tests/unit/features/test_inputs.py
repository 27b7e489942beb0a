"""Proves how a model's inputs are put together: defaults, features on demand, and the same for one row as for many."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallbox.define import Attributes, FeatureView, attribute, count, mean
from smallbox.define.model import Model
from smallbox.errors import DefinitionError
from smallbox.features.engine import StoredFeatures
from smallbox.features.inputs.assembly import Inputs, assemble, check_rows_apart, request_arrays
from tests.fakes.small import deliveries, late_parcel

depot = FeatureView("depot", "depot", deliveries, {"n": count("3h"), "depot_delay_3h": mean("delay", "3h", default=-1)})
facts = Attributes(
    "facts", "depot", deliveries, {"maker": attribute("parcel_id", default="?"), "on_time": attribute("late")}
)


def heavy(weight: Any, n: Any) -> Any:
    """Weight for each delivery."""
    return weight / n


def doubled(heavy: Any) -> Any:
    """Reads another one, which is defined after it."""
    return heavy * 2


def hour(sent_at: Any) -> Any:
    """The hour of the day."""
    return (sent_at - sent_at.astype("datetime64[D]")) / np.timedelta64(1, "h")


def ranked(weight: Any) -> Any:
    """Looks at other rows."""
    return weight - weight.mean()


def listed(weight: Any) -> Any:
    """Gives a text a row."""
    return ["x"] * len(weight)


def model_of(*functions: Any) -> Model:
    """The small model with other views and these functions."""
    return replace(late_parcel, inputs=("weight", "depot"), views=(depot, facts), on_demand=functions)


def put_together(model: Model, instances: list[dict[str, Any]], numeric: Any, texts: Any) -> Inputs:
    """The inputs of instances."""
    stored = StoredFeatures(np.array(numeric, dtype=np.float64), np.array(texts, dtype=object))
    return assemble(model, request_arrays(model, instances), stored)


def test_columns_stand_in_their_order() -> None:
    """What was sent, what the store adds, then what is computed on demand, each under its own name."""
    model = model_of(doubled, heavy, hour)
    assert model.columns.numeric == ("weight", "n", "depot_delay_3h", "on_time", "heavy", "hour", "doubled")
    assert model.columns.categorical == ("depot", "maker")
    assert model.request_fields == ("parcel_id", "weight", "depot", "sent_at")
    asked = [{"weight": 6.0, "depot": "d", "sent_at": 5_400_000_000}]
    found = put_together(model, asked, [[3.0, 1.5, 1.0]], [["m"]])
    assert found.numeric.tolist() == [[6.0, 3.0, 1.5, 1.0, 2.0, 1.5, 4.0]]
    assert found.categorical.tolist() == [["d", "m"]]


def test_what_is_missing_has_its_default_and_is_marked() -> None:
    """A declared default stands in for what the store does not have; without one it stays missing; both are marked."""
    model = model_of()
    found = put_together(model, [{}, {}], [[0.0, np.nan, np.nan], [2.0, 5.0, 1.0]], [[None], ["m"]])
    np.testing.assert_array_equal(found.numeric, [[np.nan, 0.0, -1.0, np.nan], [np.nan, 2.0, 5.0, 1.0]])
    assert found.categorical.tolist() == [["", "?"], ["", "m"]]
    marked = dict(zip(model.stored, found.missing.T.tolist(), strict=True))
    assert marked == {
        "n": [False, False],
        "depot_delay_3h": [True, False],
        "on_time": [True, False],
        "maker": [True, False],
    }


def test_what_is_not_finite_is_missing() -> None:
    """A division by zero on demand is a missing value, never an infinity."""
    found = put_together(model_of(heavy), [{"weight": 1.0}], [[0.0, 0.0, 0.0]], [[None]])
    assert np.isnan(found.numeric[0, -1])


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(0, 1e6), st.integers(0, 2**50)), min_size=1, max_size=40))
def test_one_row_and_many_give_the_same_bits(rows: list[tuple[float, float, int]]) -> None:
    """Inputs of a batch are, bit for bit, those of its rows one by one."""
    model = model_of(doubled, heavy, hour)
    asked = [{"weight": weight, "sent_at": at} for weight, _, at in rows]
    stored = [[n, n / 3, 0.0] for _, n, _ in rows]
    together = put_together(model, asked, stored, [["m"]] * len(rows)).numeric
    alone = [put_together(model, [a], [s], [["m"]]).numeric[0] for a, s in zip(asked, stored, strict=True)]
    np.testing.assert_array_equal(together, np.array(alone))


def test_a_function_that_looks_at_other_rows_is_refused() -> None:
    """What would be another value for one row than for many is found when the training set is made."""
    model = model_of(ranked)
    request = request_arrays(model, [{"weight": float(n)} for n in range(4)])
    with pytest.raises(DefinitionError, match=r"ranked gives -1\.5 for a row among 4, but 0\.0"):
        check_rows_apart(model, request, StoredFeatures.nothing(model, 4))
    check_rows_apart(model_of(heavy), request, StoredFeatures.nothing(model, 4))


def unknown(nowhere: Any) -> Any:
    """Reads what is not there."""
    return nowhere


def one(two: Any) -> Any:
    """Half of a circle."""
    return two


def two(one: Any) -> Any:
    """The other half."""
    return one


@pytest.mark.parametrize(
    ("functions", "match"),
    [
        ((unknown,), "unknown: nowhere is not a field"),
        ((one, two), "one, two depend on each other"),
        ((heavy, heavy), "one name"),
    ],
)
def test_a_wrong_function_is_named_when_it_is_defined(functions: Any, match: str) -> None:
    """An unknown input, a cycle and a name twice are refused with the definition."""
    with pytest.raises(DefinitionError, match=match):
        model_of(*functions)


def test_a_function_must_give_one_number_a_row() -> None:
    """Texts, or a single number for all rows, are refused by name."""
    for wrong, match in ((listed, "listed must return numbers"), (lambda weight: weight[:1], "one number per row")):
        if wrong is not listed:
            wrong.__name__ = "short"
        with pytest.raises(DefinitionError, match=match):
            put_together(model_of(wrong), [{"weight": 1.0}] * 2, [[0.0] * 3] * 2, [[None]] * 2)
