"""Metrics of scored rows, and comparisons of two scores on the same rows, as documents."""

from typing import TypedDict


class BinaryMetrics(TypedDict):
    """Metrics of scores for a boolean label; ``None`` where the rows cannot give one.

    Attributes:
        rows: number of rows.
        rarer_rows: rows of the class that has fewer.
        auc: area under the ROC curve, 0 to 1; ``None`` unless both classes occur.
        auc_standard_error: standard error of ``auc`` (DeLong).
        log_loss: mean negative natural logarithm of the probability given to the outcome, 0 or more; lower is better.
        calibration_error: expected calibration error (ECE), 0 to 1; lower is better.
        calibration_error_by_chance: the ECE to expect of perfectly calibrated scores on as many rows.
        calibration_standard_error: standard error of ``calibration_error``, or a little more.
        mean_score: mean of the scores, 0 to 1.
        positive_rate: share of rows whose label is true, 0 to 1.
    """

    rows: int
    rarer_rows: int
    auc: float | None
    auc_standard_error: float | None
    log_loss: float | None
    calibration_error: float | None
    calibration_error_by_chance: float | None
    calibration_standard_error: float | None
    mean_score: float | None
    positive_rate: float | None


class ChampionComparison(BinaryMetrics):
    """The champion's metrics on the candidate's validation rows, and the candidate's gain.

    Attributes:
        version: the champion's version number.
        auc_gain: AUC of the candidate minus AUC of the champion, -1 to 1; ``None`` unless both classes occur.
        auc_gain_standard_error: standard error of ``auc_gain`` (paired, DeLong).
    """

    version: int
    auc_gain: float | None
    auc_gain_standard_error: float | None


class ParityReport(TypedDict):
    """ONNX scores compared with scikit-learn's on the validation rows.

    Attributes:
        rows: rows compared.
        largest: largest absolute difference of a probability, 0 to 1.
        limit: largest difference that the gate accepts.
    """

    rows: int
    largest: float
    limit: float
