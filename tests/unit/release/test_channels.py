"""Proves that a release is decided by the rows that the assignment gave to a version, and by no others."""

import pyarrow as pa
import pytest

from smallbox.registry.routing import Routing
from smallbox.release.judged_predictions import arms, traffic
from smallbox.times import DAY
from tests.fakes.small import late_parcel
from tests.unit.release.canaries import lake_of, predictions

NOW, CANARY = 20 * DAY, Routing(champion=1, challenger=2, share=0.5)
BASELINE = (0.3,)


@pytest.mark.parametrize("channel", ["batch", "pinned"])
def test_rows_that_somebody_chose_decide_nothing(channel: str) -> None:
    """Neither a file's rows nor those of a request that named its version count, for the canary or for its estimate."""
    rows = predictions(range(10, 15), 40, share=0.5)
    chosen = rows.set_column(rows.column_names.index("channel"), "channel", pa.array([channel] * rows.num_rows))
    name, label, found = late_parcel.name, late_parcel.label, []
    for lake in (lake_of(rows), lake_of(rows, chosen)):
        seen = traffic(name, label, BASELINE, lake, NOW)
        assert seen is not None
        found.append([len(arm.losses) for arm in (*arms(name, label, BASELINE, lake, CANARY, NOW), seen.judged)])
    assert found[0] == found[1]
    assert found[0][2] == rows.num_rows
