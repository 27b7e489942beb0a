"""Training-serving skew of requests: the sent fields and the request time, compared with the lake's records.

Training takes a request's fields from its record, as of the record's event time. A caller who sends another unit, or
asks at another time, gives the model inputs that it was not trained on.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.arrays import Ints
from smallbox.define.log_columns import logged_names
from smallbox.define.signature import Signature
from smallbox.features.inputs.point_in_time_join import request_arrays_of_table
from smallbox.features.inputs.request_records import record_positions, records_of_requests
from smallbox.monitoring.skew import different
from smallbox.ports import Lake
from smallbox.times import Micros


@dataclass(frozen=True, slots=True, eq=False)
class Sent:
    """How the sent fields compare with the lake's records of the same keys.

    Attributes:
        rows: the number of predictions.
        found: how many of their keys have a record in the lake.
        by_field: for each sent field, in how many of the found rows it differs from the record.
        leads: for each prediction, the time from the request to its event time, microseconds; negative: asked after it.
    """

    rows: int
    found: int
    by_field: Mapping[str, int]
    leads: Ints


def sent_of(signature: Signature, lake: Lake, rows: pa.Table, as_of: Micros) -> Sent:
    """Compare rows of the prediction log with the records of their keys, as they were known by ``as_of``.

    Of each record the version that was valid at the request is used, or the first version when it became known later.
    The event time is the record's, or the caller's without a record.
    """
    records = records_of_requests(signature, lake, rows["key"], as_of)
    at = record_positions(records, rows)
    has_record = np.asarray(pc.is_valid(at))
    ours = request_arrays_of_table(signature, rows.filter(pa.array(has_record)), logged_names(signature))
    matched = records.take(at.drop_null())
    theirs = request_arrays_of_table(signature, matched)
    event_time = rows["event_time"].to_numpy().copy()
    event_time[has_record] = matched["time"].to_numpy()
    by_field = {name: different(ours[name], theirs[name]) for name in signature.sent_fields}
    return Sent(rows.num_rows, int(has_record.sum()), by_field, event_time - rows["time"].to_numpy())
