"""Proves that a release is decided by the rows that the assignment gave to a version, and by no others."""

import pyarrow as pa
import pytest

from smallbox.registry.routing import Routing
from smallbox.release.judged_predictions import arms, traffic
from smallbox.times import DAY
from tests.fakes.small import late_parcel
from tests.unit.release.canaries import lake_of, predictions

NOW, CANARY = 20 * DAY, Routing(champion=1, challenger=2, share=0.5)


@pytest.mark.parametrize("channel", ["batch", "pinned"])
def test_rows_that_somebody_chose_decide_nothing(channel: str) -> None:
    """Neither a file's rows nor those of a request that named its version count, for the canary or for its estimate."""
    rows = predictions(range(10, 15), 40, share=0.5)
    chosen = rows.set_column(rows.column_names.index("channel"), "channel", pa.array([channel] * rows.num_rows))
    found = [
        [len(arm.losses) for arm in (*arms(late_parcel.name, late_parcel.label, lake, CANARY, NOW), seen.judged)]
        for lake in (lake_of(rows), lake_of(rows, chosen))
        if (seen := traffic(late_parcel.name, late_parcel.label, lake, NOW))
    ]
    assert found[0] == found[1]
    assert found[0][2] == rows.num_rows
