"""Diagnoses of a dataset's labels: selection bias of the unlabelled requests, and label delay."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from smallbox.arrays import Bools, Floats, Ints
from smallbox.define.model import Model
from smallbox.documents.training_run import DelayCurve, LabelReport
from smallbox.objectives.objective import Objective
from smallbox.statistics.estimates import UNKNOWN, Estimate, weighted_mean
from smallbox.statistics.intervals import interval
from smallbox.statistics.ranking import auc
from smallbox.times import HOUR, Micros
from smallbox.training.dataset_rows import MAX_SILENT, evenly
from smallbox.training.examples import Examples, Requests
from smallbox.training.fit_model import MIN_ROWS, fit_estimator

_FOLDS: Final = 4
_CURVE_STEPS: Final = 20


def label_delays(objective: Objective, examples: Examples, within: Micros) -> DelayCurve:
    """The delay curve of each outcome: the share of its labels that became known later than each moment.

    Args:
        objective: says what the outcomes are.
        examples: labelled requests.
        within: the attribution window; the curve has 20 equal steps to its end.
    """
    delay = examples.label_known_at - examples.times
    moments = (np.arange(_CURVE_STEPS + 1) * within // _CURVE_STEPS).tolist()
    parts = objective.parts(examples.labels)
    return {
        "hours": [round(moment / HOUR, 2) for moment in moments],
        "later": {name: _later_shares(delay[rows], moments) for name, rows in parts.items()},
    }


def _later_shares(delays: Ints, moments: list[Micros]) -> list[float]:
    return [round(float((delays > moment).mean()), 4) for moment in moments] if len(delays) else []


def selection(model: Model, labelled: Requests, unlabelled: Requests) -> Estimate:
    """AUC of the model's own estimator at telling labelled from unlabelled requests by their inputs.

    0.5 means that they look alike. Where the outcome decides whether it is reported, inputs that predict the outcome
    predict the reporting too, so a model with any skill shows it here.

    Both are sampled to 2,000 rows. Cross-validation is by four blocks of time, because neighbouring rows are too much
    alike to be on both sides.

    Args:
        model: whose estimator and columns are used.
        labelled: requests with a label.
        unlabelled: requests without one.

    Returns:
        The weighted mean over the blocks; ``UNKNOWN`` when there are too few rows of either kind.
    """
    both = [one.take(evenly(len(one), MAX_SILENT)) for one in (labelled, unlabelled)]
    if min(map(len, both)) < MIN_ROWS:
        return UNKNOWN
    is_labelled = np.repeat([True, False], [len(one) for one in both])
    requests = _concatenated(both)
    order = np.argsort(requests.times, kind="stable")
    folds = list(_cross_validate(model, requests.take(order), is_labelled[order]))
    return weighted_mean([found for found, _ in folds], [weight for _, weight in folds])


def _concatenated(parts: list[Requests]) -> Requests:
    inputs = pd.concat([part.inputs for part in parts], ignore_index=True)
    return Requests(parts[0].columns, inputs, np.concatenate([part.times for part in parts]))


def _cross_validate(model: Model, requests: Requests, labels: Bools) -> Iterator[tuple[Estimate, float]]:
    """The AUC of each block with both classes, and its weight, which grows with the rows of each class."""
    fold = np.arange(len(labels)) * _FOLDS // len(labels)
    for number in range(_FOLDS):
        inside, outside = fold == number, fold != number
        test, train = labels[inside], labels[outside]
        weight = test.mean() * (~test).sum()
        if min(test.sum(), (~test).sum(), train.sum(), (~train).sum()) > 1:
            pipeline = fit_estimator(model, _most_central(model.objective), requests.inputs[outside], train)
            yield auc(_score_of(pipeline, requests.inputs[inside]), test), float(weight)


def _most_central(objective: Objective) -> Mapping[str, float]:
    """The head that is called without arguments, else the middle one: a quantile of 0 and 1 hardly orders rows."""
    heads = objective.heads
    return next((head for head in heads if not head), heads[len(heads) // 2])


def _score_of(pipeline: Any, inputs: pd.DataFrame) -> Floats:
    """How surely a row has a label: a probability, or of a regressor its prediction of 0 or 1."""
    if hasattr(pipeline, "predict_proba"):
        return np.asarray(pipeline.predict_proba(inputs), np.float64)[:, 1]
    return np.asarray(pipeline.predict(inputs), np.float64)


def report_labels(model: Model, examples: Examples, unlabelled: Requests, share: float) -> LabelReport:
    """The diagnoses as a document.

    Args:
        model: whose labels they are.
        examples: the labelled requests.
        unlabelled: a sample of the requests without a label.
        share: share of the requests without a label, 0 to 1.
    """
    try:
        found, failed = selection(model, examples, unlabelled), ""
    except ValueError as error:  # the estimator takes no missing numbers, and only unlabelled requests have them
        found, failed = UNKNOWN, type(error).__name__
    return {
        "unlabelled_share": round(share, 6),
        "selection_auc": interval(found).as_json(),
        "selection_failed": failed,
        "delays": label_delays(model.objective, examples, model.label.within_micros),
    }
