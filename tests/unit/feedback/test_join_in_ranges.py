"""Proves that the daily join, which works range by range, ends as a join of all predictions at once."""

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallbox.feedback import join
from smallbox.feedback.join import JoinTask
from smallbox.lake.names import labelled_table, predictions_table, records_table
from smallbox.lake.spans import spans_of
from smallbox.times import DAY, format_moment
from tests.fakes.documents import FakeDocuments
from tests.fakes.lake import FakeLake
from tests.fakes.small import deliveries
from tests.unit.feedback.test_join_task import (
    ASKED,
    DAYS,
    MODEL,
    OUTCOMES,
    PROJECT,
    REGISTRY,
    Asked,
    Outcome,
    log_of,
    records_of,
)


@given(st.lists(ASKED, max_size=12), st.lists(OUTCOMES, max_size=6, unique_by=lambda outcome: outcome[0]))
def test_a_join_in_ranges_is_the_join(asked: list[Asked], outcomes: list[Outcome]) -> None:
    """The table and what is reported are the same when every hour is joined by itself."""
    found = []
    for most in (1, 10**9):
        lake = FakeLake()
        lake.append(predictions_table(MODEL), log_of(asked))
        lake.append(records_table(deliveries), records_of(outcomes))
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(join, "spans_of", partial(spans_of, most=most))
            reports = [
                JoinTask(PROJECT, lake, REGISTRY, FakeDocuments()).run(
                    {"model": MODEL, "as_of": format_moment(day * DAY)}, day * DAY
                )
                for day in range(1, DAYS + 4)
            ]
        rows = lake.read(labelled_table(MODEL))
        found.append((reports, rows and sorted(rows.to_pylist(), key=lambda row: str(row["id"]))))
    assert found[0] == found[1]
