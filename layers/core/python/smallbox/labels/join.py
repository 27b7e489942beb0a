"""The label join: delayed labels joined to their requests, by one rule for training and for served predictions.

Each request gets a status:

=============== ====================================================================================
``labelled``    An outcome counts; or the window is over, and ``label.otherwise`` is the label without an outcome.
``asked_late``  The outcome was known, or the window over, when the request was asked. Never used for metrics.
``pending``     None of these, and the attribution window is open.
``unlabelled``  None of these, and the window is over. Not the same as a negative label.
=============== ====================================================================================

An outcome that became known more than ``REMEMBERED`` before the asking is of an earlier request of the same key.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.arrays import Ints
from smallbox.define.rules import Label
from smallbox.times import DAY, Micros

REMEMBERED: Final[Micros] = 90 * DAY
"""How long an outcome tells that a request is late. It bounds what a join reads, whatever the history."""

LABELLED: Final = "labelled"
PENDING: Final = "pending"
UNLABELLED: Final = "unlabelled"
ASKED_LATE: Final = "asked_late"

_Bools = npt.NDArray[np.bool_]


def join_labels(label: Label, asked: pa.Table, outcomes: pa.Table, as_of: Micros) -> pa.Table:
    """Join labels to requests, as known at ``as_of``.

    The attribution window of a request starts at its event time, whenever it was asked. An outcome counts if it became
    known after the request was asked, by the end of the window, and by ``as_of``. Two requests with the same key each
    get a label.

    Args:
        label: the label definition, with its attribution window.
        asked: requests with ``key``, ``event_time``, and ``time``, when they were asked; predictions have an ``id``
            too, which is matched when the definition says so (:func:`matched_by`).
        outcomes: all versions of the label source's records, the versions of each key in order. The last version that
            became known in time counts; null retracts an outcome. Corrections after the window are ignored.
        as_of: the moment of the join, in microseconds.

    Returns:
        The requests with ``label`` (null means no label), ``label_known_at`` and ``status``. Without an outcome,
        ``label.otherwise`` is known at the end of the window.
    """
    closes = asked["event_time"].to_numpy() + label.within_micros
    time = asked["time"].to_numpy()
    own, theirs = matched_by(label, asked)
    versions = Versions(outcomes[theirs], outcomes["known_at"].to_numpy(), asked[own])
    values, known_at = outcomes[label.value].combine_chunks(), outcomes["known_at"].combine_chunks()
    before, at = versions.known_by(time), versions.known_by(np.minimum(closes, as_of))
    is_late = _is_valid(values.take(before)) & _is_since(known_at.take(before), time - REMEMBERED) | (time >= closes)
    counts_now = ~is_late & _is_since(known_at.take(at), time - REMEMBERED)
    found = pc.if_else(pa.array(counts_now), values.take(at), None)
    counts, over = _is_valid(found), closes <= as_of
    is_silent = over & ~counts & ~is_late & (label.otherwise is not None)
    status = np.select([counts | is_silent, is_late, over], [LABELLED, ASKED_LATE, UNLABELLED], default=PENDING)
    moments = pc.if_else(pa.array(counts), known_at.take(at), pc.if_else(pa.array(is_silent), pa.array(closes), None))
    return (
        asked.append_column("label", pc.if_else(pa.array(is_silent), label.otherwise, found))
        .append_column("label_known_at", moments)
        .append_column("status", pa.array(status.tolist(), pa.string()))
    )


def matched_by(label: Label, asked: pa.Table) -> tuple[str, str]:
    """The column of the requests and the field of the label's source that have to be equal.

    Served predictions are matched by their id where the definition names its field; requests of a training, which were
    never predicted, by the key.
    """
    if label.prediction is not None and "id" in asked.column_names:
        return "id", label.prediction
    return "key", label.on


def _is_valid(values: pa.Array) -> _Bools:
    return np.asarray(pc.is_valid(values))


def _is_since(known_at: pa.Array, limits: Ints) -> _Bools:
    """Whether each moment is after its limit; a missing one is not."""
    return np.asarray(pc.fill_null(pc.greater(known_at, pa.array(limits)), fill_value=False))


class Versions:
    """Looks up the last version of each asked key that was known by a limit (an as-of lookup).

    Args:
        keys: the key of each version; the versions of a key are in order.
        known_at: when each version became known.
        asked: the keys to look up.
    """

    def __init__(self, keys: pa.ChunkedArray, known_at: Ints, asked: pa.ChunkedArray) -> None:
        names = pc.unique(keys)
        self._codes = np.asarray(pc.index_in(keys.combine_chunks(), value_set=names), np.int64)
        self._wanted = np.asarray(pc.fill_null(pc.index_in(asked.combine_chunks(), value_set=names), -1), np.int64)
        self._moments = np.unique(known_at)
        places = self._places(self._codes, np.searchsorted(self._moments, known_at))
        self._order = np.argsort(places, kind="stable")
        self._sorted = places[self._order]

    def _places(self, codes: Ints, moments: Ints) -> Ints:
        """Encode (key, moment) as one integer that sorts by both."""
        return codes * (len(self._moments) + 1) + moments

    def known_by(self, limits: Ints) -> pa.Array:
        """For each asked key the index of its last version known by its limit; null means none."""
        if not len(self._order):
            return pa.nulls(len(self._wanted), pa.int64())
        until = self._places(self._wanted, np.searchsorted(self._moments, limits, side="right"))
        last = np.searchsorted(self._sorted, until) - 1
        at = self._order[np.maximum(last, 0)]
        return pa.array(at, mask=(last < 0) | (self._wanted < 0) | (self._codes[at] != self._wanted))


def coverage(label: Label, labelled: pa.Table, as_of: Micros) -> float | None:
    """Label coverage: the share of requests with a label, of those whose window is over by ``as_of``.

    Requests asked late are excluded: no label of theirs can count. ``None`` means there are no such requests.
    """
    over = pc.less_equal(labelled["event_time"], as_of - label.within_micros)
    known, missing = (
        pc.sum(pc.and_(over, pc.equal(labelled["status"], status))).as_py() or 0 for status in (LABELLED, UNLABELLED)
    )
    return known / (known + missing) if known + missing else None
