"""Online states of both kinds of views, by one set of functions: windows are tiles, attributes are facts."""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from smallbox.define.attributes import View
from smallbox.define.view import STATE_LIMIT
from smallbox.features.engines import state_engine_of
from smallbox.features.windows.bounds import near
from smallbox.ports import StateKey
from smallbox.records import Record
from smallbox.times import DAY, Micros

MARGIN: Final[Micros] = 30 * DAY
"""How much longer than its windows a state lives after it was last written: a replay may rest for some days."""


_SET_ASIDE: Final = struct.Struct("<Bq")
_NO_STATE: Final = 0
"""The first byte of what stands for a state that was set aside; no engine's states begin with it."""


@dataclass(frozen=True, slots=True)
class SetAside:
    """Stands for a state with more bytes than an item can hold: its entity has no features until one fits again.

    Records go on to be marked as applied, and stay in the lake, from which a rebuild computes the state.
    """

    watermark: Micros


def add_records(view: View, state: Any, records: Sequence[Record], now: Micros) -> Any:
    """The state with records added; one that was set aside stays so. ``None`` is an entity without records."""
    if isinstance(state, SetAside):
        return SetAside(near(view.source, state.watermark, records, now)[0])
    engine = state_engine_of(view)
    return engine.add(view, engine.empty(view) if state is None else state, records, now)


def pack_state(view: View, state: Any) -> bytes:
    """The state as bytes."""
    if isinstance(state, SetAside):
        return _SET_ASIDE.pack(_NO_STATE, state.watermark)
    return state_engine_of(view).pack(view, state)


def unpack_state(view: View, packed: bytes) -> Any:
    """The state from bytes: the engine's, or :class:`SetAside`.

    Raises:
        NotReady: when it was stored for another definition of the view.
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
    """Whether an item can hold a packed state."""
    return len(packed) <= STATE_LIMIT


def is_set_aside(packed: bytes) -> bool:
    """Whether this stands for a state that was set aside."""
    return packed[0] == _NO_STATE


def farthest(views: Iterable[View]) -> Micros:
    """The greatest reach of some views; 0 of none."""
    return max((state_engine_of(view).reach(view) for view in views), default=0)


def lifetime(view: View) -> Micros:
    """How long after it was last written a state may still be asked for: then all its tiles are out of every window."""
    ahead = max(-(view.source.known_after_micros or 0), 0)
    return state_engine_of(view).reach(view) + ahead + MARGIN


@lru_cache(maxsize=256)
def version_of(view: View) -> str:
    """The version of a view: another one when its states would mean something else."""
    return state_engine_of(view).fingerprint(view).hex()


def state_key(view: View, entity: str) -> StateKey:
    """The key of an entity's state, in the view's own version."""
    return StateKey(view.name, entity, version_of(view))
