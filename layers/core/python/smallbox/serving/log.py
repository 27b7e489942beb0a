"""The prediction log: one lake table a model."""

import pyarrow as pa
import pyarrow.compute as pc


def _with_event_times(rows: pa.Table) -> pa.Table:
    """Rows that were logged before there was a column ``event_time`` are for the moment of asking."""
    event_times = pc.coalesce(rows["event_time"], rows["time"])
    return rows.set_column(rows.column_names.index("event_time"), "event_time", event_times)


def _first_of_each_id(rows: pa.Table) -> pa.Table:
    numbered = rows.select(["id"]).append_column("row", pa.array(range(rows.num_rows), pa.int64()))
    return rows.take(numbered.group_by("id").aggregate([("row", "min")])["row_min"])
