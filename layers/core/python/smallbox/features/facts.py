"""The online state of one entity of attributes: the fact that holds, and those that may hold later.

It has the functions that :mod:`smallbox.features.tiles` has for windows, so that stream, rebuild and serving treat both
alike. Packed it is JSON: a state has few facts, and each is short.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np

from smallbox.define.attributes import Attributes
from smallbox.errors import NotReady
from smallbox.features.window import Floats, near
from smallbox.records import Record
from smallbox.times import Micros

EVER: Final[Micros] = 10**17
"""A reach of three thousand years: a fact holds until another does."""

_BEFORE: Final = -(2**62)


@dataclass(frozen=True, slots=True)
class Fact:
    """What a record says of an entity: ``values`` by the view's ``fields``, from ``time`` on, known since ``known_at``.

    Facts are ordered by (time, key): of those that count, the greatest holds.
    """

    time: Micros
    key: str
    known_at: Micros
    values: tuple[Any, ...]

    def counts(self, as_of: Micros) -> bool:
        """Whether it has begun, and was known."""
        return max(self.time, self.known_at) <= as_of


@dataclass(frozen=True, slots=True)
class Facts:
    """What is stored of an entity.

    Attributes:
        watermark: the state answers ``as_of`` from this moment on.
        facts: in order.
    """

    watermark: Micros
    facts: tuple[Fact, ...]


def order(fact: Fact) -> tuple[Micros, str]:
    """What facts are ordered by."""
    return fact.time, fact.key


def empty(_: Attributes) -> Facts:
    """The state of an entity without records."""
    return Facts(_BEFORE, ())


def add(view: Attributes, state: Facts, records: Sequence[Record], now: Micros) -> Facts:
    """The state with these records added, each the only version of its key that the state has seen.

    Records further :func:`~smallbox.features.window.ahead` than a state keeps are left out.
    """
    if not records:
        return state
    watermark, kept = near(view.source, state.watermark, records, now)
    said = [Fact(r.time, r.key, r.known_at, tuple(r.values.get(name) for name in view.fields)) for r in kept]
    return pruned(view, Facts(watermark, tuple(sorted((*state.facts, *said), key=order))))


def pruned(_: Attributes, state: Facts) -> Facts:
    """The state without the facts that no ``as_of`` from its watermark on can see."""
    holding = [at for at, fact in enumerate(state.facts) if fact.counts(state.watermark)]
    return Facts(state.watermark, state.facts[holding[-1] :] if holding else state.facts)


def _holding(view: Attributes, state: Facts | None, as_of: Micros) -> dict[str, Any]:
    found = [fact for fact in (state.facts if state else ()) if fact.counts(as_of)]
    return dict(zip(view.fields, found[-1].values, strict=True)) if found else {}


def value(view: Attributes, state: Facts | None, as_of: Micros) -> Floats:
    """The numeric attributes at a moment, in the order of ``view.numeric``; NaN means missing."""
    said = _holding(view, state, as_of)
    return np.array([said.get(view.features[name].field) for name in view.numeric], dtype=np.float64)


def texts(view: Attributes, state: Facts | None, as_of: Micros) -> list[str | None]:
    """The text attributes at a moment, in the order of ``view.texts``; ``None`` is missing."""
    said = _holding(view, state, as_of)
    return [said.get(view.features[name].field) for name in view.texts]


@lru_cache(maxsize=256)
def fingerprint(view: Attributes) -> bytes:
    """Eight bytes that change when states of the view would mean something else."""
    meaning = ("facts", view.fields, view.entity_fields, view.source.name)
    return hashlib.blake2b(repr(meaning).encode(), digest_size=8).digest()


def pack(view: Attributes, state: Facts) -> bytes:
    """The state as bytes; equal states give equal bytes."""
    facts = [[f.time, f.key, f.known_at, f.values] for f in state.facts]
    return json.dumps([fingerprint(view).hex(), state.watermark, facts], separators=(",", ":")).encode()


def unpack(view: Attributes, packed: bytes) -> Facts:
    """The inverse of :func:`pack`.

    Raises:
        NotReady: when the state was packed for another layout: the view has changed since, rebuild its states.
    """
    found, watermark, facts = json.loads(packed)
    if found != fingerprint(view).hex():
        raise NotReady(f"a state of view {view.name} was stored for another definition of it", view=view.name)
    return Facts(watermark, tuple(Fact(time, key, known_at, tuple(said)) for time, key, known_at, said in facts))


def watermark_of(packed: bytes) -> Micros:
    """The watermark of a packed state."""
    watermark: int = json.loads(packed)[1]
    return watermark
