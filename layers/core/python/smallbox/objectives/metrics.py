"""What is measured of a set of scored rows, as a document."""

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
