"""Metrics of scored rows, and comparisons of two models on the same rows, as documents."""

from typing import TypedDict


class Metric(TypedDict):
    """A figure with its confidence bounds; ``None`` where the rows cannot give one.

    Attributes:
        value: the figure.
        low: the true value lies above this with 95 % confidence.
        high: the true value lies below this with 95 % confidence.
    """

    value: float | None
    low: float | None
    high: float | None


class Metrics(TypedDict):
    """What the outputs for labelled rows are worth, by the objective of their label.

    Attributes:
        rows: number of rows.
        rarer_rows: rows of the rarest outcome; all rows when the label is a number, and the groups with a loss of a
            ranking.
        loss_name: what the loss is called, like ``log loss``.
        loss: mean loss per row; lower is better. Every decision compares it.
        figures: the objective's other figures by name, like ``auc`` or ``mae``; they are shown, and may be guardrails.
    """

    rows: int
    rarer_rows: int
    loss_name: str
    loss: Metric
    figures: dict[str, Metric]


class BaselineComparison(TypedDict):
    """The candidate beside the constant baseline on the same rows.

    Attributes:
        outputs: the baseline: the best constant outputs, from the labels of the training rows.
        loss: its mean loss on the validation rows.
        difference: mean loss of the candidate minus that of the baseline; negative is better.
    """

    outputs: list[float]
    loss: float | None
    difference: Metric


class ChampionComparison(Metrics):
    """The champion's metrics on the candidate's validation rows, and the candidate beside it.

    Attributes:
        version: the champion's version number.
        difference: mean loss of the candidate minus that of the champion; negative is better.
    """

    version: int
    difference: Metric


class ParityReport(TypedDict):
    """ONNX outputs compared with scikit-learn's on the validation rows.

    Attributes:
        rows: rows compared.
        largest: largest absolute difference of an output.
        limit: largest difference that the gate accepts.
    """

    rows: int
    largest: float
    limit: float


def metric_of(metrics: Metrics, name: str) -> Metric:
    """A figure of a metrics document by its name, ``loss`` included; all ``None`` when the document lacks it."""
    nothing: Metric = {"value": None, "low": None, "high": None}
    return metrics["loss"] if name == "loss" else metrics["figures"].get(name, nothing)
