"""Proves that the numbers of a day are those of its rows, in the bins of the reference."""

import math

import numpy as np
import pyarrow as pa
import pytest

from smallbox.profiles.building import build_profile, by_period, layout_of_values
from smallbox.profiles.day_numbers import day_numbers, reference_numbers
from smallbox.profiles.stored import LABEL_COLUMN, LOSS_COLUMN, ReferenceDays
from smallbox.statistics.profile_numbers import share_number
from smallbox.times import DAY

ROWS = 200
TIMES = np.repeat([3 * DAY, 4 * DAY], ROWS // 2)
VALUES = {
    "weight": np.arange(ROWS) / ROWS,
    "depot": pa.array(["north"] * 150 + ["south"] * 49 + [None]),
    "score": np.where(np.arange(ROWS) < 150, np.nan, 0.5),
    LABEL_COLUMN: np.ones(ROWS),
    LOSS_COLUMN: np.ones(ROWS),
}
LAYOUT = layout_of_values(VALUES)
REFERENCE = ReferenceDays(LAYOUT, by_period(LAYOUT, VALUES, TIMES, None, DAY))


def test_the_whole_reference_has_its_own_location_in_the_middle() -> None:
    """Mean rank 1/2, spread 1/4, and nothing outside; labels and losses have no stream."""
    found = day_numbers(REFERENCE.whole(), REFERENCE.whole())
    assert found["weight:location"].value == pytest.approx(0.5)
    assert found["weight:spread"].value == pytest.approx(0.25, abs=0.01)
    assert found["weight:outside"] == share_number(0, ROWS)
    assert found["depot:category north"] == share_number(150, ROWS - 1)
    assert found["depot:missing"] == share_number(1, ROWS)
    assert {name.partition(":")[0] for name in found} == {"weight", "depot", "score"}


def test_values_beyond_the_reference_count_at_its_ends_and_as_outside() -> None:
    """Of four values one lies below and two above; of four texts one is new and one is missing."""
    seen = {"weight": np.array([-1.0, 0.0, 2.0, 3.0]), "depot": pa.array(["north", "south", "east", None])}
    layout = LAYOUT.only(lambda name: name in seen)
    found = day_numbers(build_profile(layout, seen, np.zeros(4, np.int64)), REFERENCE.whole())
    assert found["weight:outside"] == share_number(3, 4)
    assert found["weight:location"].value == pytest.approx(0.5, abs=0.02), "two at each end"
    assert (found["depot:unseen"], found["depot:missing"]) == (share_number(1, 3), share_number(1, 4))


def test_outputs_of_a_reference_day_are_those_of_its_validation_rows() -> None:
    """The first day fitted the model and has no outputs; on the second half do, and none of those is missing."""
    days = reference_numbers(REFERENCE)
    assert sorted(days) == [3, 4]
    assert all(math.isnan(one.value) for name, one in days[3].items() if name.startswith("score:"))
    assert days[4]["score:location"].value == pytest.approx(0.5)
    assert days[4]["score:missing"] == share_number(0, 50)
    assert days[3]["weight:location"].value == pytest.approx(0.25, abs=0.01)
