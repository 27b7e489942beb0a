"""The protocols of the feature engines: online (a state per entity) and batch (many questions, from the lake).

Each kind of view (windows, attributes) has one engine of each, with equal values. State engines import neither pyarrow
nor pandas.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np

from smallbox.arrays import Floats, Ints, Objects
from smallbox.define.signature import Signature
from smallbox.features.small_arrays import full_of
from smallbox.records import Record
from smallbox.times import Micros

if TYPE_CHECKING:
    import pyarrow as pa

    from smallbox.features.columns import Names

V_contra = TypeVar("V_contra", contravariant=True)
S = TypeVar("S")


@dataclass(frozen=True, slots=True, eq=False)
class StoredFeatures:
    """The store's features for ``n`` questions, before defaults.

    Attributes:
        numeric: ``(n, numeric features)``, float64; NaN means missing.
        texts: ``(n, text features)``; ``None`` means missing.
    """

    numeric: Floats
    texts: Objects

    @classmethod
    def nothing(cls, signature: Signature, rows: int) -> "StoredFeatures":
        """All stored features of a model, every value missing."""
        texts = full_of(None, (rows, len(signature.stored_texts)), object)
        return cls(full_of(np.nan, (rows, len(signature.stored_numeric))), texts)


class StateEngine(Protocol[V_contra, S]):
    """The online engine of one kind of view: keeps a state per entity and adds records to it."""

    def empty(self, view: V_contra) -> S:
        """The state of an entity without records."""

    def add(self, view: V_contra, state: S, records: Sequence[Record], now: Micros) -> S:
        """Add records of the entity. Each record is the only version of its key that the state has seen.

        Records further ahead than :func:`~smallbox.features.windows.window_edges.max_lead` are dropped.

        Args:
            view: the view.
            state: the state so far.
            records: records of one entity; ``known_at`` may be in the future.
            now: the current time, or a replay's simulated time; later questions have ``as_of >= now``.
        """

    def add_to_each(self, view: V_contra, grown: Sequence[tuple[S, Sequence[Record]]], now: Micros) -> list[S]:
        """:meth:`add` for each of many states with their records; one call costs less."""

    def numbers(self, view: V_contra, state: S | None, as_of: Micros) -> Floats:
        """The numeric features at ``as_of``, in the order of ``view.numeric``; NaN means missing.

        Args:
            view: the view.
            state: the entity's state; ``None`` if nothing is stored for the entity.
            as_of: at or after the state's watermark.
        """

    def texts(self, view: V_contra, state: S | None, as_of: Micros) -> list[str | None]:
        """The text features at ``as_of``, in the order of ``view.texts``; ``None`` means missing."""

    def fields(self, view: V_contra) -> tuple[str, ...]:
        """The record fields that the features are computed from, deduplicated."""

    def reach(self, view: V_contra) -> Micros:
        """The maximum age of a record that counts: ``as_of`` minus its event time."""

    def fingerprint(self, view: V_contra) -> bytes:
        """Eight-byte hash of the definition; it changes when stored states can no longer be read as this view's."""

    def pack(self, view: V_contra, state: S) -> bytes:
        """Serialize a state; equal states give equal bytes."""

    def unpack(self, view: V_contra, packed: bytes) -> S:
        """The inverse of :meth:`pack`.

        Raises:
            NotReady: if the state was packed for another definition of the view: run the backfill.
        """

    def watermark_of(self, packed: bytes) -> Micros:
        """The watermark of a packed state, also of one packed for another definition."""


class BatchEngine(Protocol[V_contra, S]):
    """The batch engine of one kind of view: answers many questions from all versions of the source's records."""

    def features(self, view: V_contra, versions: "pa.Table", entities: "Names", as_of: Ints) -> StoredFeatures:
        """Point-in-time features, one row per question; bit for bit equal to the state engine's.

        Args:
            view: the view.
            versions: every version of the source's records; see :func:`smallbox.lake.history.history`.
            entities: one entity per question; an unknown entity, or ``None``, has no records.
            as_of: the moment of each question, in microseconds.
        """

    def states(self, view: V_contra, rows: "pa.Table", as_of: Micros) -> dict[str, S]:
        """The state of every entity, with ``as_of`` as watermark, from one row per record key."""
