"""Markers: the idempotency keys of applied records in the online store."""

from collections.abc import Sequence
from typing import Final

from smallbox.define.attributes import View
from smallbox.define.source import Source
from smallbox.features.online.states import longest_reach
from smallbox.ports import Marker
from smallbox.records import Record
from smallbox.times import DAY, Micros

CLAIMED: Final = ""
"""The content hash in the marker of a record that a backfill has counted. It equals no record's.

Views that the backfill did not fill may still lack the record, so whoever meets the marker requests a rebuild of all.
"""

MARKER_MARGIN: Final[Micros] = DAY
"""Added to a marker's TTL; far more than clock skew."""


def marker_id(source: str, key: str) -> str:
    """The id of a record's marker."""
    return f"{source}#{key}"


def expiry(source: Source, views: Sequence[View], time: Micros, known_at: Micros) -> Micros:
    """The TTL of a record's marker: after the allowed lateness and after the record's last window, plus a margin.

    The marker detects duplicates within the lateness, and corrections for as long as a window contains the record.
    """
    return max(known_at + source.lateness_micros, time + longest_reach(views)) + MARKER_MARGIN


def marker(source: Source, views: Sequence[View], record: Record) -> Marker:
    """A record's marker."""
    expires_at = expiry(source, views, record.time, record.known_at)
    return Marker(marker_id(source.name, record.key), record.digest, expires_at)
