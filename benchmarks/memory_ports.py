"""The ports of ``memory.py``: documents in a dictionary, states nowhere."""

from collections.abc import Mapping, Sequence
from typing import Any

from smallbox.ports import Marker, StateKey, StateWrite, StoredState


class Papers:
    """The ``Documents`` port over a dictionary."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], Mapping[str, Any]] = {}

    def get(self, partition: str, sort: str, within: int | None = None) -> Mapping[str, Any] | None:
        """One of them."""
        del within
        return self._kept.get((partition, sort))

    def query(self, partition: str, prefix: str = "") -> Sequence[Mapping[str, Any]]:
        """Those of a partition."""
        found = [key for key in self._kept if key[0] == partition and key[1].startswith(prefix)]
        return [self._kept[key] for key in sorted(found)]

    def put(self, partition: str, sort: str, document: Mapping[str, Any]) -> None:
        """Write one."""
        self._kept[partition, sort] = document

    put_new = put

    def swap(self, partition: str, sort: str, document: Mapping[str, Any], revision: int) -> None:
        """Write one, as the only writer."""
        self.put(partition, sort, {**document, "revision": revision + 1})


class NoNotices:
    """Tells nobody."""

    def tell(self, subject: str, text: str) -> None:
        """Nothing."""


class NoMeter:
    """The ``Meter`` port for figures that nobody reads."""

    def publish(self, figures: Mapping[str, float], dimensions: Mapping[str, str]) -> None:
        """Publish nothing."""


class Marked:
    """The ``OnlineStore`` port: every record has a marker, and states are dropped."""

    def read(self, keys: Sequence[StateKey], within: int | None = None) -> Mapping[StateKey, StoredState]:
        """No state is stored."""
        del keys, within
        return {}

    def markers(self, ids: Sequence[str]) -> Mapping[str, str]:
        """All of them."""
        return dict.fromkeys(ids, "")

    def commit(self, markers: Sequence[Marker], states: Sequence[StateWrite]) -> None:
        """Drop them."""

    def mark(self, markers: Sequence[Marker]) -> None:
        """Drop them."""
