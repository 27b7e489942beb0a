"""Online states of both kinds of views, by one set of functions: windows are tiles, attributes are facts."""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol, cast

from smallbox.define.attributes import Attributes, View
from smallbox.features import facts, tiles, window
from smallbox.features.window import Floats
from smallbox.records import Record
from smallbox.times import Micros


class Engine(Protocol):
    """What :mod:`~smallbox.features.tiles` and :mod:`~smallbox.features.facts` both do."""

    def empty(self, view: Any, /) -> Any:
        """The state of an entity without records."""

    def add(self, view: Any, state: Any, records: Sequence[Record], now: Micros) -> Any:
        """The state with records added."""

    def value(self, view: Any, state: Any, as_of: Micros) -> Floats:
        """The numeric features at a moment."""

    def texts(self, view: Any, state: Any, as_of: Micros) -> list[str | None]:
        """The text features at a moment."""

    def fingerprint(self, view: Any) -> bytes:
        """What changes when states of the view would mean something else."""

    def pack(self, view: Any, state: Any) -> bytes:
        """The state as bytes."""

    def unpack(self, view: Any, packed: bytes) -> Any:
        """The state from bytes."""

    def watermark_of(self, packed: bytes) -> Micros:
        """The watermark of a packed state."""


def engine_of(view: View) -> Engine:
    """The engine that keeps the states of a view."""
    return cast("Engine", facts if isinstance(view, Attributes) else tiles)


def reach(view: View) -> Micros:
    """How far before ``as_of`` the event time of a record that counts can lie, at the most."""
    return facts.EVER if isinstance(view, Attributes) else window.reach(view)


def farthest(views: Iterable[View]) -> Micros:
    """The greatest reach of some views; 0 of none."""
    return max(map(reach, views), default=0)
