"""The numbers of each day that a version has served, after those of its training days: what changes are found in."""

from collections.abc import Mapping
from typing import Final

from smallbox.errors import NotStored
from smallbox.ports import Blobs
from smallbox.profiles.day_numbers import reference_numbers
from smallbox.profiles.stored import ReferenceDays
from smallbox.records import Channel
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

    def add(
        self,
        version: Version,
        channel: Channel,
        day: int,
        numbers: Mapping[str, DayValue],
        reference: ReferenceDays | None,
    ) -> DayStreams:
        """Add a checked day, or replace it when it is checked again; returns the days up to it.

        The first day comes after those of the version's reference.
        """
        grown = with_day(self._so_far(version, channel, reference), day, numbers)
        self._blobs.put(_key(version, channel), streams_to_bytes(grown))
        return _until(grown, day)

    def until(self, version: Version, channel: Channel, day: int) -> DayStreams:
        """The days that were added, up to a day; none before the first was."""
        return _until(self._so_far(version, channel, None), day)

    def _so_far(self, version: Version, channel: Channel, reference: ReferenceDays | None) -> DayStreams:
        try:
            return streams_from_bytes(self._blobs.get(_key(version, channel)))
        except NotStored:
            return day_streams({} if reference is None else reference_numbers(reference))


def _until(streams: DayStreams, day: int) -> DayStreams:
    rows = sum(one <= day for one in streams.days)
    variances = None if streams.variances is None else streams.variances[:rows]
    return DayStreams(streams.days[:rows], streams.names, streams.values[:rows], variances)


def _key(version: Version, channel: Channel) -> str:
    return f"{_FOLDER}/{version.model}/{version.number}/days-{channel}.npz"
