"""Online states of any kind of view: dispatch to the view's engine, size limit, lifetime and keys."""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from smallbox.define.attributes import View
from smallbox.define.tiles import STATE_LIMIT
from smallbox.features.state_engines import state_engine_of
from smallbox.features.windows.window_edges import advance_watermark
from smallbox.ports import StateKey
from smallbox.records import Record
from smallbox.times import DAY, Micros

LIFETIME_MARGIN: Final[Micros] = 30 * DAY
"""Added to the TTL of a state after its last window: a replay may pause for some days."""

_SET_ASIDE: Final = struct.Struct("<Bq")
_NO_STATE: Final = 0
"""The first byte of the placeholder of a state that is set aside; no engine's states begin with it."""


@dataclass(frozen=True, slots=True)
class SetAside:
    """The placeholder of a state that exceeds the size limit of an item: its features are missing until a rebuild fits.

    The stream still marks records as applied; they are in the lake, from which a rebuild recomputes the state.
    """

    watermark: Micros


def add_to_each(view: View, grown: Sequence[tuple[Any, Sequence[Record]]], now: Micros) -> list[Any]:
    """Add records to states of a view: each with its own records; ``None`` is the state of an entity without records.

    A state that is set aside stays so.
    """
    engine = state_engine_of(view)
    added = iter(
        engine.add_to_each(
            view,
            [(engine.empty(view) if state is None else state, rows) for state, rows in grown if not _is_aside(state)],
            now,
        )
    )
    return [_moved(view, state, rows, now) if _is_aside(state) else next(added) for state, rows in grown]


def _is_aside(state: Any) -> bool:
    return isinstance(state, SetAside)


def _moved(view: View, state: SetAside, records: Sequence[Record], now: Micros) -> SetAside:
    return SetAside(advance_watermark(view.source, state.watermark, records, now)[0])


def pack_state(view: View, state: Any) -> bytes:
    """Serialize a state."""
    if isinstance(state, SetAside):
        return _SET_ASIDE.pack(_NO_STATE, state.watermark)
    return state_engine_of(view).pack(view, state)


def unpack_state(view: View, packed: bytes) -> Any:
    """The inverse of :func:`pack_state`: the engine's state, or :class:`SetAside`.

    Raises:
        NotReady: if the state was stored for another definition of the view.
    """
    if is_set_aside(packed):
        return SetAside(_SET_ASIDE.unpack(packed)[1])
    return state_engine_of(view).unpack(view, packed)


def state_watermark(view: View, packed: bytes) -> Micros:
    """The watermark of a packed state."""
    if is_set_aside(packed):
        return int(_SET_ASIDE.unpack(packed)[1])
    return state_engine_of(view).watermark_of(packed)


def fits(packed: bytes) -> bool:
    """Whether a packed state is within the size limit of an item."""
    return len(packed) <= STATE_LIMIT


def is_set_aside(packed: bytes) -> bool:
    """Whether this is the placeholder of a state that is set aside."""
    return packed[0] == _NO_STATE


def longest_reach(views: Iterable[View]) -> Micros:
    """The maximum reach of the views; 0 without views."""
    return max((state_engine_of(view).reach(view) for view in views), default=0)


def lifetime(view: View) -> Micros:
    """The TTL of a state after its last write: by then all its tiles are outside every window."""
    ahead = max(-(view.source.known_after_micros or 0), 0)
    return state_engine_of(view).reach(view) + ahead + LIFETIME_MARGIN


@lru_cache(maxsize=256)
def version_of(view: View) -> str:
    """The version of a view: a hash of its definition; it changes when stored states become unusable."""
    return state_engine_of(view).fingerprint(view).hex()


def state_key(view: View, entity: str) -> StateKey:
    """The key of an entity's state, for the current version of the view."""
    return StateKey(view.name, entity, version_of(view))
