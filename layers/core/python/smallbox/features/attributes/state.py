"""The online engine of attributes: the state of an entity is the fact in effect, and those that take effect later.

States are stored as JSON: they have few facts, and each is short.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np

from smallbox.arrays import Floats
from smallbox.define.attributes import Attributes
from smallbox.errors import NotReady
from smallbox.features.engine import StateEngine
from smallbox.features.windows.window_edges import advance_watermark
from smallbox.records import Record
from smallbox.times import Micros

_EVER: Final[Micros] = 10**17
"""About 3000 years: a fact stays in effect until the next one."""

_BEFORE: Final = -(2**62)


@dataclass(frozen=True, slots=True)
class Fact:
    """An entity's ``values``, in the order of the view's ``fields``: valid from ``time``, known since ``known_at``.

    Facts are ordered by (time, key). Of those that count, the last is in effect.
    """

    time: Micros
    key: str
    known_at: Micros
    values: tuple[Any, ...]

    def counts(self, as_of: Micros) -> bool:
        """Whether the fact was valid and known at ``as_of``."""
        return max(self.time, self.known_at) <= as_of


@dataclass(frozen=True, slots=True)
class AttributeState:
    """The online state of one entity.

    Attributes:
        watermark: questions with ``as_of`` from here on can be answered.
        facts: sorted by :func:`order`.
    """

    watermark: Micros
    facts: tuple[Fact, ...]


def order(fact: Fact) -> tuple[Micros, str]:
    """The sort key of facts."""
    return fact.time, fact.key


class AttributeStates(StateEngine[Attributes, AttributeState]):
    """The online engine of attributes."""

    def empty(self, view: Attributes) -> AttributeState:
        """A state without facts."""
        del view
        return AttributeState(_BEFORE, ())

    def add(self, view: Attributes, state: AttributeState, records: Sequence[Record], now: Micros) -> AttributeState:
        """Add one fact per record."""
        if not records:
            return state
        watermark, kept = advance_watermark(view.source, state.watermark, records, now)
        added = [Fact(r.time, r.key, r.known_at, tuple(r.values.get(name) for name in view.fields)) for r in kept]
        return without_past_facts(AttributeState(watermark, tuple(sorted((*state.facts, *added), key=order))))

    def add_to_each(
        self, view: Attributes, grown: Sequence[tuple[AttributeState, Sequence[Record]]], now: Micros
    ) -> list[AttributeState]:
        """One state after the other."""
        return [self.add(view, state, records, now) for state, records in grown]

    def numbers(self, view: Attributes, state: AttributeState | None, as_of: Micros) -> Floats:
        """The numeric attributes of the fact in effect."""
        values = _in_effect(view, state, as_of)
        return np.array([values.get(view.features[name].field) for name in view.numeric], dtype=np.float64)

    def texts(self, view: Attributes, state: AttributeState | None, as_of: Micros) -> list[str | None]:
        """The text attributes of the fact in effect."""
        values = _in_effect(view, state, as_of)
        return [values.get(view.features[name].field) for name in view.texts]

    def fields(self, view: Attributes) -> tuple[str, ...]:
        """The fields that attributes are read from."""
        return view.fields

    def reach(self, view: Attributes) -> Micros:
        """Unlimited: a fact stays in effect until the next one."""
        del view
        return _EVER

    def fingerprint(self, view: Attributes) -> bytes:
        """Eight-byte hash of the fields, the entity and the source."""
        return _fingerprint(view)

    def pack(self, view: Attributes, state: AttributeState) -> bytes:
        """Serialize a state as JSON."""
        facts = [[f.time, f.key, f.known_at, f.values] for f in state.facts]
        return json.dumps([_fingerprint(view).hex(), state.watermark, facts], separators=(",", ":")).encode()

    def unpack(self, view: Attributes, packed: bytes) -> AttributeState:
        """The inverse of :meth:`pack`."""
        found, watermark, facts = json.loads(packed)
        if found != _fingerprint(view).hex():
            raise NotReady(
                f"a state of view {view.name} was stored for another definition of it; "
                f"run `smallbox backfill {view.name}`",
                view=view.name,
            )
        kept = (Fact(time, key, known_at, tuple(values)) for time, key, known_at, values in facts)
        return AttributeState(watermark, tuple(kept))

    def watermark_of(self, packed: bytes) -> Micros:
        """Read from the second item of the JSON array."""
        watermark: int = json.loads(packed)[1]
        return watermark


ATTRIBUTE_STATES: Final = AttributeStates()


def without_past_facts(state: AttributeState) -> AttributeState:
    """Drop the facts that no ``as_of`` from the watermark on needs."""
    counting = [at for at, fact in enumerate(state.facts) if fact.counts(state.watermark)]
    return AttributeState(state.watermark, state.facts[counting[-1] :] if counting else state.facts)


def _in_effect(view: Attributes, state: AttributeState | None, as_of: Micros) -> dict[str, Any]:
    found = [fact for fact in (state.facts if state else ()) if fact.counts(as_of)]
    return dict(zip(view.fields, found[-1].values, strict=True)) if found else {}


@lru_cache(maxsize=256)
def _fingerprint(view: Attributes) -> bytes:
    source = (view.source.name, view.source.known_after_micros)
    meaning = ("facts", view.fields, view.entity_fields, source)
    return hashlib.blake2b(repr(meaning).encode(), digest_size=8).digest()
