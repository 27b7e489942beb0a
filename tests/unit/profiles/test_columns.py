"""Proves which texts of records a profile may name, and what becomes of a field whose declaration changes."""

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from smallbox.define import Source, number, text, timestamp
from smallbox.profiles.building import build_profile
from smallbox.profiles.columns import CATEGORY_ROWS, ENOUGH, record_layout, record_values
from smallbox.profiles.layout import ProfileLayout, TextBins

visits = Source(
    "visits",
    key="visit_id",
    time="at",
    fields={"visit_id": text(), "at": timestamp(), "of": text(), "town": text(), "fee": number()},
)


def _rows(count: int, **columns: Any) -> pa.Table:
    """Visits, each of another person, in two towns and one that is rare."""
    moments = np.arange(count)
    towns = ["rare"] * (CATEGORY_ROWS - 1) + ["a", "b"] * count
    usual = {"visit_id": [f"v{n}" for n in range(count)], "time": moments, "received_at": moments}
    usual |= {"of": [f"person {n}" for n in range(count)], "town": towns[:count], "fee": np.arange(count) * 1.0}
    return pa.table({**usual, **columns})


def _texts(layout: ProfileLayout, name: str) -> TextBins:
    bins = layout.columns[name]
    assert isinstance(bins, TextBins)
    return bins


def test_a_text_that_few_records_have_is_no_category() -> None:
    """The key of another source, which names one record, stands in no layout; nor does the key itself."""
    layout = record_layout(visits, record_values(visits, _rows(ENOUGH)))
    assert _texts(layout, "town").categories == ("a", "b")
    assert _texts(layout, "of").categories == ()
    assert b"person" not in layout.to_bytes()
    assert b"v1" not in layout.to_bytes()


def test_a_small_first_batch_gives_no_categories() -> None:
    """Every text is then counted as the rest: that it was not in a few records does not make it unseen."""
    layout = record_layout(visits, record_values(visits, _rows(ENOUGH - 1)))
    column = build_profile(layout, {"town": pa.array(["new", "a", None])}, np.arange(3)).column("town")
    assert (column.rest, column.unseen, column.missing, len(column.counts)) == (2, 0, 1, 0)


def test_a_field_that_is_declared_otherwise_later_does_not_stop_its_records() -> None:
    """A text that became personal, or a number, counts as missing in the layout that the first batch gave."""
    layout = record_layout(visits, record_values(visits, _rows(ENOUGH)))
    for field in (text(pii=True), number()):
        later = replace(visits, fields={**visits.fields, "town": field})
        values = record_values(later, _rows(9, town=np.arange(9.0)))
        assert build_profile(layout, values, np.arange(9)).column("town").missing == 9
    later = replace(visits, fields={**visits.fields, "fee": text()})
    values = record_values(later, _rows(9, fee=["free"] * 9))
    assert build_profile(layout, values, np.arange(9)).column("fee").missing == 9
