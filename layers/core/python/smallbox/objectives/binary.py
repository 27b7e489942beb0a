"""A boolean label: the output is the probability that it is true."""

from dataclasses import dataclass
from typing import Any, ClassVar

from smallbox.arrays import Bools, Floats, Ints, np
from smallbox.errors import DefinitionError
from smallbox.objectives.objective import EstimatorKind, Losses, Objective, OutputValues, Scored, losses_by_row
from smallbox.objectives.probabilities import level_set, log_losses
from smallbox.statistics.calibration import calibration
from smallbox.statistics.intervals import Interval, mean_interval
from smallbox.statistics.ranking import auc_interval
from smallbox.statistics.shares import share_interval


@dataclass(frozen=True)
class Binary(Objective):
    """A boolean label, judged by log loss: the negative logarithm of the probability given to the outcome.

    Figures: ``auc``; ``calibration_error`` (ECE); ``mean_score`` and ``positive_rate``, which are close together when
    the scores are right on average.

    >>> rows = Scored(np.array([[0.8], [0.5]]), np.array([1.0, 0.0]), np.zeros(2, int))
    >>> Binary().losses(rows).values.round(3).tolist()
    [0.223, 0.693]
    """

    kind: ClassVar[str] = "binary"
    label_types: ClassVar[tuple[str, ...]] = ("boolean",)
    label_column: ClassVar[str] = "label"
    estimator: ClassVar[EstimatorKind] = "classifier"
    onnx_output: ClassVar[str] = "probabilities"
    calibration_share: ClassVar[float] = 0.15

    @property
    def outputs(self) -> tuple[str, ...]:
        """``score``: the probability of a true label, 0 to 1."""
        return ("score",)

    @property
    def loss_name(self) -> str:
        """For people."""
        return "log loss"

    @property
    def figures(self) -> tuple[str, ...]:
        """Ranking, calibration, and both rates."""
        return ("auc", "calibration_error", "mean_score", "positive_rate")

    @property
    def onnx_columns(self) -> tuple[int, ...]:
        """The second class is ``True``."""
        return (1,)

    def targets(self, labels: Floats) -> Bools:
        """Booleans."""
        return labels > 0

    def lacking(self, labels: Floats) -> str:
        """Both outcomes must occur."""
        return "" if 0 < labels.sum() < len(labels) else "rows of both labels"

    def predicted(self, pipeline: Any, inputs: Any) -> Floats:
        """The probability of the second class."""
        return np.asarray(pipeline.predict_proba(inputs), np.float64)[:, 1:]

    def calibrated(self, estimator: Any, prepared: Any, labels: Floats, groups: Ints) -> Any:  # noqa: ARG002
        """Platt scaling (Advances in Large Margin Classifiers, 1999).

        Its two parameters need only a few hundred rows, and it keeps the order of the scores.
        """
        from sklearn.calibration import CalibratedClassifierCV  # noqa: PLC0415 - the predict path has no scikit-learn
        from sklearn.frozen import FrozenEstimator  # noqa: PLC0415

        found = CalibratedClassifierCV(FrozenEstimator(estimator), method="sigmoid")
        found.fit(prepared, self.targets(labels))
        # FrozenEstimator kept it from being fitted again; the ONNX converter knows only the estimator itself.
        for part in (found, *found.calibrated_classifiers_):
            part.estimator = estimator
        return found

    def baseline(self, labels: Floats) -> OutputValues:
        """The share of true labels."""
        return (float(labels.mean()),)

    def check_outputs(self, outputs: OutputValues, place: str) -> None:
        """A probability."""
        if not 0 <= outputs[0] <= 1:
            raise DefinitionError(f"{place} is {outputs[0]:g}; write a probability, from 0 to 1")

    def losses(self, scored: Scored) -> Losses:
        """Log loss."""
        score = scored.outputs[:, 0]
        return losses_by_row(log_losses(np.where(scored.labels > 0, score, 1 - score)))

    def with_level_set(self, scored: Scored) -> Scored:
        """A factor on the odds."""
        score = scored.outputs[:, 0]
        both = level_set(np.column_stack([1 - score, score]), (scored.labels > 0).astype(np.int64))
        return scored.beside(both[:, 1:])

    def measured(self, scored: Scored) -> dict[str, Interval]:
        """AUC, calibration error, mean score and positive rate."""
        score, labels = scored.outputs[:, 0], scored.labels > 0
        return {
            "auc": auc_interval(score, labels),
            "calibration_error": calibration(score, labels).interval,
            "mean_score": mean_interval(score),
            "positive_rate": share_interval(labels),
        }

    def rarer(self, labels: Floats) -> int:
        """The rows of the class that has fewer."""
        positive = int(labels.sum())
        return min(positive, len(labels) - positive)

    def parts(self, labels: Floats) -> dict[str, Bools]:
        """The rows of each class."""
        return {"true": labels > 0, "false": labels <= 0}

    def answer_schema(self) -> dict[str, Any]:
        """A probability; null where the model gave no number."""
        return {"score": {"type": ["number", "null"], "minimum": 0, "maximum": 1}}
