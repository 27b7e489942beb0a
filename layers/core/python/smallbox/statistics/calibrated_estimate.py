"""Figures of rows without labels, expected from calibrated probabilities (CBPE).

Kivimäki, Białek, Kuberski, Nurminen, Performance estimation in binary classification using calibrated confidence,
arXiv 2505.05295 (2025). Each label is a coin that falls as the calibrated probability says, so a count of labels is
Poisson-binomial with variance ``sum c (1 - c)``. None of it sees that the probability of a label, given the inputs,
has changed.
"""

from dataclasses import dataclass

from smallbox.arrays import Bools, Floats, np
from smallbox.statistics.estimates import UNKNOWN, Estimate


@dataclass(frozen=True, slots=True)
class ExpectedConfusion:
    """The expected confusion matrix; each number is an expected count of rows.

    Attributes:
        true_positives: flagged rows whose label is true.
        false_positives: flagged rows whose label is false.
        false_negatives: other rows whose label is true.
        true_negatives: other rows whose label is false.
        variance: the variance of the number of correct rows: ``sum c (1 - c)``.
    """

    true_positives: float
    false_positives: float
    false_negatives: float
    true_negatives: float
    variance: float

    @property
    def accuracy(self) -> Estimate:
        """The expected share of correct rows."""
        right, wrong = self.true_positives + self.true_negatives, self.false_positives + self.false_negatives
        rows = right + wrong
        return Estimate(right / rows, self.variance / rows**2) if rows else UNKNOWN


def expected_confusion(calibrated: Floats, flagged: Bools) -> ExpectedConfusion:
    """The confusion matrix to expect.

    Args:
        calibrated: ``(n,)`` the probability that each label is true.
        flagged: ``(n,)`` the rows that the model takes for true.

    >>> found = expected_confusion(np.array([0.75, 0.25]), np.array([True, False]))
    >>> found.true_positives, found.false_negatives, found.accuracy
    (0.75, 0.25, Estimate(value=0.75, variance=0.09375))
    """
    others, chance = ~flagged, 1 - calibrated
    return ExpectedConfusion(
        float(calibrated[flagged].sum()),
        float(chance[flagged].sum()),
        float(calibrated[others].sum()),
        float(chance[others].sum()),
        float((calibrated * chance).sum()),
    )


def expected_auc(scores: Floats, calibrated: Floats) -> float:
    """The AUC to expect: the sweep of the threshold over the expected confusion matrix; NaN without rows.

    >>> expected_auc(np.array([0.9, 0.1]), np.array([1.0, 0.0]))
    1.0
    """
    codes = np.unique(scores, return_inverse=True)[1]
    positives = np.bincount(codes, weights=calibrated)
    negatives = np.bincount(codes, weights=1 - calibrated)
    below = np.cumsum(negatives) - negatives / 2
    total = positives.sum() * negatives.sum()
    return float(positives @ below / total) if total else float("nan")


def expected_losses(calibrated: Floats, by_class: Floats) -> Floats:
    """The expected loss of each row, ``(n,)``.

    Args:
        calibrated: ``(n, k)`` the probability of each class.
        by_class: ``(n, k)`` the loss of the row if that class happens: of log loss, Brier score, 0-1 loss or another.
    """
    return np.asarray((calibrated * by_class).sum(axis=1))


def expected_loss(calibrated: Floats, by_class: Floats) -> Estimate:
    """The expected mean loss of rows, with the variance that the labels alone give it; as :func:`expected_losses`.

    >>> expected_loss(np.array([[0.5, 0.5]]), np.array([[0.0, 2.0]]))
    Estimate(value=1.0, variance=1.0)
    """
    if not len(calibrated):
        return UNKNOWN
    means = expected_losses(calibrated, by_class)
    variances = (calibrated * by_class**2).sum(axis=1) - means**2
    return Estimate(float(means.mean()), float(variances.sum()) / len(means) ** 2)


def brier_by_class(scores: Floats) -> Floats:
    """The Brier score of each row if its label is false or true, ``(n, 2)``; ``scores`` is ``(n,)``."""
    return np.column_stack([scores**2, (1 - scores) ** 2])
