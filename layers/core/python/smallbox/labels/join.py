"""Late labels to the requests they belong to: one rule, for training and for predictions that were served.

Each request gets a status:

=============== ====================================================================================
``labelled``    An outcome counts, or the window is over and ``label.otherwise`` says what silence means.
``asked_late``  Its outcome was known when it was asked, or its window was over. Never judged.
``pending``     None of these, and the window is open.
``unlabelled``  None of these, and the window is over. Never negative.
=============== ====================================================================================
"""

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.arrays import Ints
from smallbox.define.rules import Label
from smallbox.times import Micros

LABELLED: Final = "labelled"
PENDING: Final = "pending"
UNLABELLED: Final = "unlabelled"
ASKED_LATE: Final = "asked_late"

_Bools = npt.NDArray[np.bool_]


def join_labels(label: Label, asked: pa.Table, outcomes: pa.Table, as_of: Micros) -> pa.Table:
    """The requests with their labels, as they were known at a moment.

    The attribution window of a request begins at its own event time, whenever it was asked. An outcome counts when it
    became known after the asking, by the end of the window, and by ``as_of``. A key that was asked about twice is
    labelled twice.

    Args:
        label: what is predicted, and its window.
        asked: rows with ``key``, ``event_time``, and ``time``, the moment of asking.
        outcomes: every version of the label source's records, in the order of a key's versions. Of those that became
            known in time the last one counts; a null takes an outcome back. A correction after the window changes
            nothing.
        as_of: the moment of the join.

    Returns:
        The rows with ``label`` (null where there is none), ``label_known_at`` (of a silence, the end of the window) and
        ``status``.
    """
    closes = asked["event_time"].to_numpy() + label.within_micros
    time = asked["time"].to_numpy()
    versions = Versions(outcomes[label.on], outcomes["known_at"].to_numpy(), asked["key"])
    values, known_at = outcomes[label.value].combine_chunks(), outcomes["known_at"].combine_chunks()
    is_late = _is_valid(values.take(versions.known_by(time))) | (time >= closes)
    at = versions.known_by(np.minimum(closes, as_of))
    found = pc.if_else(pa.array(~is_late), values.take(at), None)
    counts, over = _is_valid(found), closes <= as_of
    is_silent = over & ~counts & ~is_late & (label.otherwise is not None)
    status = np.select([counts | is_silent, is_late, over], [LABELLED, ASKED_LATE, UNLABELLED], default=PENDING)
    moments = pc.if_else(pa.array(counts), known_at.take(at), pc.if_else(pa.array(is_silent), pa.array(closes), None))
    return (
        asked.append_column("label", pc.if_else(pa.array(is_silent), label.otherwise, found))
        .append_column("label_known_at", moments)
        .append_column("status", pa.array(status.tolist(), pa.string()))
    )


def _is_valid(values: pa.Array) -> _Bools:
    return np.asarray(pc.is_valid(values))


class Versions:
    """Finds, for keys that are asked about, the last version known by a moment.

    Args:
        keys: the key of each version, in the order of a key's versions.
        known_at: when each became known.
        asked: the keys that are asked about.
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
        """One number for a key and a moment, in the order of both."""
        return codes * (len(self._moments) + 1) + moments

    def known_by(self, limits: Ints) -> pa.Array:
        """For each key that is asked about, the place of its last version known by its limit; null where none is."""
        if not len(self._order):
            return pa.nulls(len(self._wanted), pa.int64())
        until = self._places(self._wanted, np.searchsorted(self._moments, limits, side="right"))
        last = np.searchsorted(self._sorted, until) - 1
        at = self._order[np.maximum(last, 0)]
        return pa.array(at, mask=(last < 0) | (self._wanted < 0) | (self._codes[at] != self._wanted))


def coverage(label: Label, labelled: pa.Table, as_of: Micros) -> float | None:
    """The share that has a label, of the requests whose window is over by ``as_of``; ``None`` of none.

    Requests that were asked late are left out: no label of theirs could count.
    """
    status = np.asarray(labelled["status"])[labelled["event_time"].to_numpy() + label.within_micros <= as_of]
    known, missing = int((status == LABELLED).sum()), int((status == UNLABELLED).sum())
    return known / (known + missing) if known + missing else None
