"""The numbers of each day that a version has served, after those of its training days: what changes are found in."""

from collections.abc import Mapping
from typing import Final

from smallbox.errors import NotStored
from smallbox.ports import Blobs
from smallbox.profiles.day_numbers import reference_numbers
from smallbox.records import Channel
from smallbox.registry.references import reference_of
from smallbox.registry.version import Version
from smallbox.statistics.day_streams import DayStreams, DayValue, day_streams
from smallbox.statistics.stored_streams import streams_from_bytes, streams_to_bytes, with_day

_FOLDER: Final = "references"


class ChangeHistory:
    """One object for each version and channel.

    A new champion begins with its own training days as the reference, so what changed before it was trained does not
    ring again.
    """

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    def of(self, version: Version, channel: Channel) -> DayStreams:
        """The days so far: those of the training, then those that were checked since."""
        try:
            return streams_from_bytes(self._blobs.get(_key(version, channel)))
        except NotStored:
            reference = reference_of(self._blobs, version)
            return day_streams({} if reference is None else reference_numbers(reference))

    def add(self, version: Version, channel: Channel, day: int, numbers: Mapping[str, DayValue]) -> DayStreams:
        """Add a checked day, or replace it when it is checked again; returns the days up to it."""
        grown = with_day(self.of(version, channel), day, numbers)
        self._blobs.put(_key(version, channel), streams_to_bytes(grown))
        return _until(grown, day)


def _until(streams: DayStreams, day: int) -> DayStreams:
    rows = sum(one <= day for one in streams.days)
    variances = None if streams.variances is None else streams.variances[:rows]
    return DayStreams(streams.days[:rows], streams.names, streams.values[:rows], variances)


def _key(version: Version, channel: Channel) -> str:
    return f"{_FOLDER}/{version.model}/{version.number}/days-{channel}.npz"
