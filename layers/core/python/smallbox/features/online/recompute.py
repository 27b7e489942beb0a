"""Online states computed from the lake: equal to the stream's after it has applied every record."""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from smallbox.define.attributes import View
from smallbox.features.batch_engines import batch_engine_of
from smallbox.features.windows.window_edges import max_lead
from smallbox.lake.history import valid_or_first_at
from smallbox.times import Micros


def recompute(view: View, table: pa.Table, as_of: Micros) -> dict[str, Any]:
    """The state of every entity, from the record versions that counted at ``as_of``, which becomes the watermark.

    A key without a version known by then gets its first version, as in the stream. Records further ahead than
    :func:`~smallbox.features.windows.window_edges.max_lead` are dropped, as in the stream.

    Args:
        view: the view.
        table: the lake's rows of its source, at least all that may still be in a window.
        as_of: the current time, or a replay's simulated time.
    """
    valid = valid_or_first_at(table, as_of)
    near = valid.filter(pc.less(valid["time"], as_of + max_lead(view.source)))
    return batch_engine_of(view).states(view, near, as_of)
