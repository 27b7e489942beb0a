"""Online states as the lake gives them: what the stream would have, had it seen every record."""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from smallbox.define.attributes import View
from smallbox.features.batch_engines import batch_engine_of
from smallbox.features.windows.bounds import ahead
from smallbox.lake.history import standing
from smallbox.times import Micros


def recompute(view: View, table: pa.Table, as_of: Micros) -> dict[str, Any]:
    """The state of every entity, from the versions that counted at ``as_of``, which is their watermark.

    A key of which nothing was known then has its first version, as it has in the stream. Records further
    :func:`~smallbox.features.windows.bounds.ahead` than a state keeps are left out, as they are there.

    Args:
        view: the view.
        table: rows of its source as the lake holds them, all that may still be in a window.
        as_of: the present, or a replay's.
    """
    standing_then = standing(table, as_of)
    near = standing_then.filter(pc.less(standing_then["time"], as_of + ahead(view.source)))
    return batch_engine_of(view).states(view, near, as_of)
