"""Late labels to the predictions they belong to."""

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.define.rules import Label
from smallbox.features.window import Ints
from smallbox.times import Micros

LABELLED: Final = "labelled"
PENDING: Final = "pending"
UNLABELLED: Final = "unlabelled"


def join_labels(label: Label, predictions: pa.Table, outcomes: pa.Table, as_of: Micros) -> pa.Table:
    """The predictions with what became true of each, as it was known at a moment.

    An outcome counts when it became known within the attribution window after the prediction, and by ``as_of``. A
    prediction without one is ``pending`` while its window is open, then ``unlabelled``: never negative. A key that was
    predicted twice is labelled twice.

    Args:
        label: what is predicted, and its window.
        predictions: rows with ``key`` and ``time``.
        outcomes: every version of the label source's records, in the order of a key's versions. For each prediction
            the last one counts that was known in time, so a correction that comes later changes nothing.
        as_of: the moment of the join.

    Returns:
        The predictions with ``label`` (null where there is none), ``label_known_at`` and ``status``.
    """
    closes = pc.add(predictions["time"].combine_chunks(), label.within_micros)
    limits = np.minimum(closes.to_numpy(zero_copy_only=False), as_of)
    at = _last_known(outcomes[label.on], outcomes["known_at"].to_numpy(), predictions["key"], limits)
    known_at = outcomes["known_at"].combine_chunks().take(at)
    found = outcomes[label.value].combine_chunks().take(at)
    counts = pc.is_valid(found)
    values = pc.if_else(counts, found, None)
    status = pc.if_else(counts, LABELLED, pc.if_else(pc.greater(closes, as_of), PENDING, UNLABELLED))
    return (
        predictions.append_column("label", values)
        .append_column("label_known_at", pc.if_else(counts, known_at, None))
        .append_column("status", status.cast(pa.string()))
    )


def _last_known(keys: pa.ChunkedArray, known_at: Ints, asked: pa.ChunkedArray, limits: Ints) -> pa.Array:
    """For each key that is asked for, the place of its last version known by its limit; null where there is none."""
    names = pc.unique(keys)
    codes = np.asarray(pc.index_in(keys.combine_chunks(), value_set=names), np.int64)
    moments = np.unique(known_at)
    places = codes * (len(moments) + 1) + np.searchsorted(moments, known_at)
    order = np.argsort(places, kind="stable")
    wanted = np.asarray(pc.fill_null(pc.index_in(asked.combine_chunks(), value_set=names), -1), np.int64)
    until = wanted * (len(moments) + 1) + np.searchsorted(moments, limits, side="right")
    last = np.searchsorted(places[order], until) - 1
    if not len(order):
        return pa.nulls(len(wanted), pa.int64())
    at = order[np.maximum(last, 0)]
    return pa.array(at, mask=(last < 0) | (wanted < 0) | (codes[at] != wanted))


def coverage(labelled: pa.Table) -> float | None:
    """The share with a label, of the predictions whose window is over or that have one; ``None`` of none."""
    status = np.asarray(labelled["status"])
    known, missing = int((status == LABELLED).sum()), int((status == UNLABELLED).sum())
    return known / (known + missing) if known + missing else None
