"""The daily file of a model with ``score_daily``: the records of its request source for one day, out of the lake.

It is written to ``score/<model>/in/daily/<day>.parquet`` and scored like any other file there.
"""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from smallbox.define.model import Model
from smallbox.define.source import Source
from smallbox.errors import InvalidInput
from smallbox.lake.history import valid_at
from smallbox.lake.names import records_table
from smallbox.lake.parquet import to_parquet
from smallbox.lake.schemas import record_schema
from smallbox.ports import Between, Blobs, Lake
from smallbox.times import DAY, Micros, day_of


class DailyFile:
    """Writes the daily file of a model; the same records give the same bytes, which are scored once."""

    def __init__(self, lake: Lake, inbox: Blobs) -> None:
        self._lake = lake
        self._inbox = inbox

    def write(self, model: Model, moment: Micros) -> dict[str, Any]:
        """Write the file of the day that ``score_daily`` names; no file when no record of it is known.

        Args:
            model: the model.
            moment: the present; records that are not known by then are left out.

        Returns:
            The day, the number of its records, and the file's key.

        Raises:
            InvalidInput: when the model has no ``score_daily``.
        """
        if model.score_daily is None:
            raise InvalidInput(f"model {model.name} has no score_daily; declare it, or drop a file", model=model.name)
        start = moment // DAY * DAY - (DAY if model.score_daily == "yesterday" else 0)
        day, rows = day_of(start), self._records(model.request, start, moment)
        key = f"score/{model.name}/in/daily/{day}.parquet"
        if len(rows):
            self._inbox.put(key, to_parquet(rows))
        return {"model": model.name, "day": day, "records": len(rows), "key": key if len(rows) else None}

    def _records(self, source: Source, start: Micros, moment: Micros) -> pa.Table:
        """The records of a day as they were known at a moment, as a file of requests, by key."""
        table, schema = records_table(source), record_schema(source)
        keys = self._lake.read(table, ["key"], Between("time", start, start + DAY), schema=schema)
        if keys is None:
            return schema.empty_table()
        # all versions of these keys: a correction may have moved a record to another day
        versions = self._lake.read(table, schema.names, keys=keys["key"], schema=schema)
        known = valid_at(schema.empty_table() if versions is None else versions, moment)
        inside = pc.and_(pc.greater_equal(known["time"], start), pc.less(known["time"], start + DAY))
        return _as_requests(source, known.filter(inside).sort_by("key"))


def _as_requests(source: Source, rows: pa.Table) -> pa.Table:
    """The fields, with timestamps as a file has them."""
    moments = {name for name, field in source.fields.items() if field.type == "timestamp"}
    columns = {
        name: rows[name].cast(pa.timestamp("us", "UTC")) if name in moments else rows[name] for name in source.fields
    }
    return pa.table(columns)
