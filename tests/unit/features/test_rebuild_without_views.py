"""Proves that a request to rebuild states outlives the views that it was meant for."""

from typing import Any

import pytest

from smallbox.define.project import project_of
from smallbox.features.live_views import LiveViewStore
from smallbox.features.rebuild import RebuildTask
from smallbox.lake.names import records_table
from smallbox.lake.schemas import records_to_table
from smallbox.records import Record, Value
from smallbox.times import HOUR
from tests.fakes.documents import FakeDocuments
from tests.fakes.edges import FakeQueue
from tests.fakes.lake import FakeLake
from tests.fakes.online import FakeOnlineStore
from tests.fakes.small import deliveries, late_parcel


@pytest.mark.parametrize("asked", [{}, {"digests": {"p": "0"}}], ids=["the source", "a record"])
def test_a_rebuild_without_live_views_has_nothing_to_do(asked: dict[str, Any]) -> None:
    """A correction may wait for days: when no view reads its source any more, the message ends, and writes nothing."""
    lake, store, later = FakeLake(), FakeOnlineStore(), FakeQueue()
    values: dict[str, Value] = {"parcel_id": "p", "delivered_at": HOUR, "depot": "north", "delay": 1.0, "late": True}
    lake.append(
        records_table(deliveries), records_to_table(deliveries, [Record("deliveries", "p", HOUR, HOUR, HOUR, values)])
    )
    live = LiveViewStore(FakeDocuments())
    task = RebuildTask(project_of([late_parcel]), live, lake, store, later, lambda _: None)
    task.run([{"source": "deliveries", **asked}], HOUR)
    assert (store.states, store.marked, later.messages) == ({}, {}, [])
