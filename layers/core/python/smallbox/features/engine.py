"""What an engine does for one kind of view, online and in batch.

A kind of view (windows, attributes) has two engines with equal values: one keeps a state for each entity, the other
computes many questions at once from the lake. The state engines import neither pyarrow nor pandas.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np

from smallbox.arrays import Floats, Ints, Objects
from smallbox.define.model import Model
from smallbox.records import Record
from smallbox.times import Micros

if TYPE_CHECKING:
    import pyarrow as pa

    from smallbox.features.columns import Names

V_contra = TypeVar("V_contra", contravariant=True)
S = TypeVar("S")


@dataclass(frozen=True, slots=True, eq=False)
class StoredFeatures:
    """The features that the store adds to ``n`` questions, before defaults.

    Attributes:
        numeric: ``(n, numeric features)``, float64; NaN means missing.
        texts: ``(n, text features)``; ``None`` means missing.
    """

    numeric: Floats
    texts: Objects

    @classmethod
    def nothing(cls, model: Model, rows: int) -> "StoredFeatures":
        """All of a model's stored features, missing."""
        texts = np.full((rows, len(model.stored_texts)), None, dtype=object)
        return cls(np.full((rows, len(model.stored_numeric)), np.nan), texts)


class StateEngine(Protocol[V_contra, S]):
    """The online engine of one kind of view: a state per entity, which records are added to."""

    def empty(self, view: V_contra) -> S:
        """The state of an entity without records."""

    def add(self, view: V_contra, state: S, records: Sequence[Record], now: Micros) -> S:
        """The state with records of the entity added, each the only version of its key that the state has seen.

        Records further :func:`~smallbox.features.windows.bounds.ahead` than a state keeps are left out.

        Args:
            view: the view.
            state: the state so far.
            records: records of one entity, known already or not.
            now: the present, or a replay's; the next question is not asked before.
        """

    def numbers(self, view: V_contra, state: S | None, as_of: Micros) -> Floats:
        """The numeric features at a moment, in the order of ``view.numeric``; NaN means missing.

        Args:
            view: the view.
            state: the entity's state; ``None`` when nothing is stored of the entity.
            as_of: not before the state's watermark.
        """

    def texts(self, view: V_contra, state: S | None, as_of: Micros) -> list[str | None]:
        """The text features at a moment, in the order of ``view.texts``; ``None`` means missing."""

    def fields(self, view: V_contra) -> tuple[str, ...]:
        """The fields of a record that the features are computed from, each once."""

    def reach(self, view: V_contra) -> Micros:
        """How far before ``as_of`` the event time of a record that counts can lie, at the most."""

    def fingerprint(self, view: V_contra) -> bytes:
        """Eight bytes that change when states of the view would mean something else."""

    def pack(self, view: V_contra, state: S) -> bytes:
        """The state as bytes; equal states give equal bytes."""

    def unpack(self, view: V_contra, packed: bytes) -> S:
        """The inverse of :meth:`pack`.

        Raises:
            NotReady: when the state was packed for another definition of the view; run the backfill.
        """

    def watermark_of(self, packed: bytes) -> Micros:
        """The watermark of a packed state, whatever definition it was packed for."""


class BatchEngine(Protocol[V_contra, S]):
    """The batch engine of one kind of view: many questions at once, from every version of the source's records."""

    def features(self, view: V_contra, versions: "pa.Table", entities: "Names", as_of: Ints) -> StoredFeatures:
        """The features of each entity as they were known at each moment: bit for bit what the state engine gives.

        Args:
            view: the view.
            versions: every version of the source's records; see :func:`smallbox.lake.history.history`.
            entities: one entity per question; one that is not there, or ``None``, has no records.
            as_of: one moment per question.
        """

    def states(self, view: V_contra, rows: "pa.Table", as_of: Micros) -> dict[str, S]:
        """The state of every entity, with ``as_of`` as its watermark, from one row per key."""
