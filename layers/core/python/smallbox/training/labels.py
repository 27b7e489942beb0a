"""What the labels of a dataset can tell of themselves: which requests have none, and how late the others came."""

import math
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from smallbox.define.model import Model
from smallbox.statistics.estimates import UNKNOWN, Estimate, weighted_mean
from smallbox.statistics.ranking import auc
from smallbox.times import HOUR, Micros
from smallbox.training.examples import MOST_SILENT, evenly
from smallbox.training.fitting import LEAST_ROWS, fit_estimator, frame, scores_of

_BLOCKS: Final = 4
_MOMENTS: Final = 20


def label_delays(rows: pa.Table, within: Micros) -> dict[str, list[float]]:
    """The delay curve: of the labels of each class, the share that became known later than so many hours.

    Args:
        rows: ``time``, ``label`` and ``label_known_at``.
        within: the attribution window; the curve has 20 equal steps to its end.

    Returns:
        ``hours`` after the request's event time, and the shares of ``positive`` and of ``negative`` labels, in step.
        A class without labels has an empty list.
    """
    delay = rows["label_known_at"].to_numpy() - rows["time"].to_numpy()
    is_positive = rows["label"].to_numpy(zero_copy_only=False).astype(bool)
    limits = np.arange(_MOMENTS + 1) * within // _MOMENTS
    classes = {"positive": delay[is_positive], "negative": delay[~is_positive]}
    later = {
        name: [round(float((of > limit).mean()), 4) for limit in limits] for name, of in classes.items() if len(of)
    }
    return {"hours": [round(limit / HOUR, 2) for limit in limits.tolist()], "positive": [], "negative": [], **later}


def selection(model: Model, labelled: pa.Table, unlabelled: pa.Table) -> Estimate:
    """How well the model's own estimator tells labelled from unlabelled requests by its inputs.

    An AUC of 0.5 says that they look alike. Where the outcome decides whether it is reported, whatever tells the
    outcome tells the reporting too, so that a model with any skill shows it here.

    Both are thinned to 2,000 rows. They are cut into four blocks of time, and each is scored by an estimator of the
    other three: rows of one hour are too much alike to be on both sides.

    Args:
        model: whose estimator and columns are used.
        labelled: rows of the dataset.
        unlabelled: rows of the same columns, without a label.

    Returns:
        The mean over the blocks, and its variance; unknown where there are too few rows of either kind.
    """
    both = [evenly(rows, MOST_SILENT).select(["time", *model.columns.names]) for rows in (labelled, unlabelled)]
    if min(rows.num_rows for rows in both) < LEAST_ROWS:
        return UNKNOWN
    is_labelled = np.repeat([True, False], [rows.num_rows for rows in both])
    rows = pa.concat_tables(both)
    order = np.argsort(rows["time"].to_numpy(), kind="stable")
    blocks = list(_by_block(model, rows.take(order), is_labelled[order]))
    return weighted_mean([found for found, _ in blocks], [weight for _, weight in blocks])


def _by_block(model: Model, rows: pa.Table, is_labelled: npt.NDArray[np.bool_]) -> Iterator[tuple[Estimate, float]]:
    """The AUC of each block with both kinds of rows, and how much it tells."""
    inputs = frame(model.columns, rows)
    block = np.arange(len(is_labelled)) * _BLOCKS // len(is_labelled)
    for number in range(_BLOCKS):
        inside, outside = block == number, block != number
        labels = is_labelled[inside]
        weight = labels.mean() * (~labels).sum()
        fits = is_labelled[outside]
        if min(labels.sum(), (~labels).sum(), fits.sum(), (~fits).sum()) > 1:
            pipeline = fit_estimator(model, inputs[outside], fits)
            yield auc(scores_of(pipeline, inputs[inside]), labels), float(weight)


def about_labels(model: Model, rows: pa.Table, unlabelled: pa.Table, share: float) -> dict[str, Any]:
    """All of it as a document.

    Args:
        model: whose labels they are.
        rows: the dataset's.
        unlabelled: some of the requests without a label.
        share: how many of the requests whose window is over have none.
    """
    try:
        found = selection(model, rows, unlabelled)
        failed = ""
    except ValueError as error:  # an estimator that takes no missing numbers, and only unlabelled requests have them
        found, failed = UNKNOWN, type(error).__name__
    told = not math.isnan(found.value)
    return {
        "unlabelled_share": round(share, 6),
        "selection_auc": found.value if told else None,
        "selection_auc_standard_error": found.standard_error if told else None,
        "selection_failed": failed,
        "delays": label_delays(rows, model.label.within_micros),
    }
