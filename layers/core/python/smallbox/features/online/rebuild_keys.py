"""The record keys that rebuild requests refer to."""

from collections.abc import Iterable, Sequence
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from smallbox.define.source import Source
from smallbox.features.windows.window_edges import CLOCK_SKEW, max_lead
from smallbox.lake.names import records_table
from smallbox.messages.encoded import Message
from smallbox.ports import Between, Lake
from smallbox.times import DAY, Micros

CATCH_UP: Final[Micros] = 7 * DAY
"""How long after its event time a record that came too far ahead is still added: covers missed days of the upkeep."""


def keys_named(source: Source, messages: Iterable[Message], lake: Lake, now: Micros) -> pa.Array:
    """The distinct record keys that messages request: listed, loaded from a named file, or due by now.

    Args:
        source: the source of the messages.
        messages: rebuild requests of any kind.
        lake: the records.
        now: the current time, or a replay's simulated time.
    """
    found = [pa.array(list(message["digests"]), pa.string()) for message in messages if "digests" in message]
    found += _loaded(source, [message for message in messages if "received_at" in message], lake)
    found += [_due(source, lake, now)] if any("due" in message for message in messages) else []
    return pc.unique(pa.chunked_array(found, pa.string()))


def _loaded(source: Source, files: Sequence[Message], lake: Lake) -> list[pa.Array]:
    if not files:
        return []
    moments = pa.array([*{message["received_at"] for message in files}], pa.int64())
    slices = lake.slices(records_table(source), min(message["after"] for message in files))
    return [
        pc.unique(rows["key"].filter(pc.is_in(rows["received_at"], value_set=moments)).cast(pa.string()))
        for rows in slices
    ]


def _due(source: Source, lake: Lake, now: Micros) -> pa.Array:
    columns = ["key", "time", "received_at"]
    rows = lake.read(records_table(source), columns, Between("time", now - CATCH_UP, now + max_lead(source)))
    if rows is None:
        return pa.array([], pa.string())
    lead = pc.subtract(rows["time"], rows["received_at"])
    return pc.unique(rows["key"].filter(pc.greater_equal(lead, max_lead(source) - CLOCK_SKEW)))
