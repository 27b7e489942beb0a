"""Late labels to the predictions they belong to."""

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.define.rules import Label
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
        outcomes: the label source's versions that count at ``as_of``, one row a key.
        as_of: the moment of the join.

    Returns:
        The predictions with ``label`` (null where there is none), ``label_known_at`` and ``status``.
    """
    at = pc.index_in(predictions["key"].combine_chunks(), value_set=outcomes[label.on].combine_chunks())
    known_at = outcomes["known_at"].combine_chunks().take(at)
    time = predictions["time"].combine_chunks()
    closes = pc.add(time, label.within_micros)
    in_time = pc.and_(pc.less_equal(known_at, closes), pc.less_equal(known_at, as_of))
    counts = pc.and_(pc.fill_null(in_time, False), pc.is_valid(outcomes[label.value].combine_chunks().take(at)))
    values = pc.if_else(counts, outcomes[label.value].combine_chunks().take(at), None)
    status = pc.if_else(counts, LABELLED, pc.if_else(pc.greater(closes, as_of), PENDING, UNLABELLED))
    return (
        predictions.append_column("label", values)
        .append_column("label_known_at", pc.if_else(counts, known_at, None))
        .append_column("status", status.cast(pa.string()))
    )


def coverage(labelled: pa.Table) -> float | None:
    """The share with a label, of the predictions whose window is over or that have one; ``None`` of none."""
    status = np.asarray(labelled["status"])
    known, missing = int((status == LABELLED).sum()), int((status == UNLABELLED).sum())
    return known / (known + missing) if known + missing else None
