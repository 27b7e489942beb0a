"""The records in the lake of the keys that were asked for: what training takes the fields of a request from."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.define.signature import Signature
from smallbox.labels.join import Versions
from smallbox.lake.history import FOREVER, history
from smallbox.lake.names import records_table
from smallbox.lake.schemas import record_schema
from smallbox.ports import Between, Lake
from smallbox.times import Micros


def records_of_requests(signature: Signature, lake: Lake, keys: pa.ChunkedArray, as_of: Micros) -> pa.Table:
    """Every version of the records of these keys, known by ``as_of``, with the request fields."""
    columns = list(dict.fromkeys(["key", "time", "known_at", "received_at", "digest", *signature.request_fields]))
    known = Between("known_at", -FOREVER, as_of + 1)
    schema = record_schema(signature.request)
    rows = lake.read(records_table(signature.request), columns, known, keys, schema=schema)
    return history(schema.empty_table().select(columns) if rows is None else rows)


def record_positions(records: pa.Table, rows: pa.Table) -> pa.Array:
    """For each row of the log the position of its record; null without one.

    It is the version of the record that was valid at the request, or the first when it became known later.
    """
    first = records.group_by("key").aggregate([("known_at", "min")])
    at = pc.index_in(rows["key"].combine_chunks(), value_set=first["key"].combine_chunks())
    first_known = np.asarray(pc.fill_null(first["known_at_min"].combine_chunks().take(at), -FOREVER), np.int64)
    versions = Versions(records["key"], records["known_at"].to_numpy(), rows["key"])
    return versions.known_by(np.maximum(rows["time"].to_numpy(), first_known))
