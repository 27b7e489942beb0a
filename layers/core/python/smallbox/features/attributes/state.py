"""The online state of one entity of attributes: the fact that holds, and those that may hold later.

Packed it is JSON: a state has few facts, and each is short.
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
from smallbox.features.windows.bounds import near
from smallbox.records import Record
from smallbox.times import Micros

_EVER: Final[Micros] = 10**17
"""A reach of three thousand years: a fact holds until another does."""

_BEFORE: Final = -(2**62)


@dataclass(frozen=True, slots=True)
class Fact:
    """What a record says of an entity: ``values`` by the view's ``fields``, from ``time`` on, known since ``known_at``.

    AttributeState are ordered by (time, key): of those that count, the greatest holds.
    """

    time: Micros
    key: str
    known_at: Micros
    values: tuple[Any, ...]

    def counts(self, as_of: Micros) -> bool:
        """Whether it has begun, and was known."""
        return max(self.time, self.known_at) <= as_of


@dataclass(frozen=True, slots=True)
class AttributeState:
    """The online state of one entity.

    Attributes:
        watermark: the state answers ``as_of`` from this moment on.
        facts: in order.
    """

    watermark: Micros
    facts: tuple[Fact, ...]


def order(fact: Fact) -> tuple[Micros, str]:
    """The order of facts."""
    return fact.time, fact.key


class AttributeStates(StateEngine[Attributes, AttributeState]):
    """The online engine of attributes."""

    def empty(self, view: Attributes) -> AttributeState:
        """No facts."""
        del view
        return AttributeState(_BEFORE, ())

    def add(self, view: Attributes, state: AttributeState, records: Sequence[Record], now: Micros) -> AttributeState:
        """The state with the facts that records give."""
        if not records:
            return state
        watermark, kept = near(view.source, state.watermark, records, now)
        said = [Fact(r.time, r.key, r.known_at, tuple(r.values.get(name) for name in view.fields)) for r in kept]
        return without_past_facts(AttributeState(watermark, tuple(sorted((*state.facts, *said), key=order))))

    def numbers(self, view: Attributes, state: AttributeState | None, as_of: Micros) -> Floats:
        """The numeric attributes of the fact that holds."""
        said = _holding(view, state, as_of)
        return np.array([said.get(view.features[name].field) for name in view.numeric], dtype=np.float64)

    def texts(self, view: Attributes, state: AttributeState | None, as_of: Micros) -> list[str | None]:
        """The text attributes of the fact that holds."""
        said = _holding(view, state, as_of)
        return [said.get(view.features[name].field) for name in view.texts]

    def fields(self, view: Attributes) -> tuple[str, ...]:
        """The fields that are attributes."""
        return view.fields

    def reach(self, view: Attributes) -> Micros:
        """For ever: a fact holds until another does."""
        del view
        return _EVER

    def fingerprint(self, view: Attributes) -> bytes:
        """Changes with the fields, the entity and the source."""
        return _fingerprint(view)

    def pack(self, view: Attributes, state: AttributeState) -> bytes:
        """The state as JSON."""
        facts = [[f.time, f.key, f.known_at, f.values] for f in state.facts]
        return json.dumps([_fingerprint(view).hex(), state.watermark, facts], separators=(",", ":")).encode()

    def unpack(self, view: Attributes, packed: bytes) -> AttributeState:
        """The state from JSON."""
        found, watermark, facts = json.loads(packed)
        if found != _fingerprint(view).hex():
            raise NotReady(f"a state of view {view.name} was stored for another definition of it", view=view.name)
        kept = (Fact(time, key, known_at, tuple(said)) for time, key, known_at, said in facts)
        return AttributeState(watermark, tuple(kept))

    def watermark_of(self, packed: bytes) -> Micros:
        """The second item of the JSON array."""
        watermark: int = json.loads(packed)[1]
        return watermark


ATTRIBUTE_STATES: Final = AttributeStates()


def without_past_facts(state: AttributeState) -> AttributeState:
    """The state without the facts that no ``as_of`` from its watermark on can see."""
    holding = [at for at, fact in enumerate(state.facts) if fact.counts(state.watermark)]
    return AttributeState(state.watermark, state.facts[holding[-1] :] if holding else state.facts)


def _holding(view: Attributes, state: AttributeState | None, as_of: Micros) -> dict[str, Any]:
    found = [fact for fact in (state.facts if state else ()) if fact.counts(as_of)]
    return dict(zip(view.fields, found[-1].values, strict=True)) if found else {}


@lru_cache(maxsize=256)
def _fingerprint(view: Attributes) -> bytes:
    meaning = ("facts", view.fields, view.entity_fields, view.source.name)
    return hashlib.blake2b(repr(meaning).encode(), digest_size=8).digest()
