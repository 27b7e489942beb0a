"""The profiles of accepted records, by source and hour of the event time."""

import pyarrow as pa

from smallbox.define.source import Source
from smallbox.ports import Blobs
from smallbox.profiles.building import by_hour, key_hashes
from smallbox.profiles.columns import record_layout, record_values
from smallbox.profiles.store import ProfileStore, source_subject
from smallbox.records import digest_of
from smallbox.times import Micros


class RecordProfiles:
    """Adds the profiles of records to the store.

    Args:
        blobs: where profiles are kept.
    """

    def __init__(self, blobs: Blobs) -> None:
        self._store = ProfileStore(blobs)

    def add(self, source: Source, rows: pa.Table, hourly_since: Micros = -(2**62)) -> None:
        """Add rows of a source's log; the same rows again overwrite their own profiles.

        Rows of the days before ``hourly_since`` are profiled by day.
        """
        if not rows.num_rows:
            return
        values, subject = record_values(source, rows), source_subject(source.name)
        layout = self._store.layout_or(subject.name, lambda: record_layout(source, values))
        keys = key_hashes(rows["key"].combine_chunks())
        hours = by_hour(layout, values, rows["time"].to_numpy(), keys, hourly_since)
        self._store.put(subject, digest_of("".join(rows["digest"].to_pylist()).encode()), hours)
