"""A grade as label, of rows that are ranked within a group: the output is a score that orders the group."""

from dataclasses import dataclass
from typing import Any, ClassVar

from smallbox.arrays import Array, Floats, np
from smallbox.errors import DefinitionError
from smallbox.objectives.objective import (
    PROBABILITY_TOLERANCE,
    EstimatorKind,
    LabelField,
    Losses,
    Objective,
    OutputValues,
    Scored,
    number_of,
)
from smallbox.statistics.intervals import Interval, mean_interval
from smallbox.statistics.ranking import ndcg


@dataclass(frozen=True)
class Ranking(Objective):
    """Rows that are ranked within a group, like the products of one search.

    The label is a grade, 0 or more; a boolean counts as 0 and 1. The unit of the loss is the group: the mean over its
    pairs with different grades of ``log(1 + exp(low - high))`` for the scores of the worse and the better row (RankNet:
    Burges et al., ICML 2005). A group whose grades are all equal orders nothing and has no loss.

    The estimator is a regressor of the grade: its score orders rows, and its unit means nothing.

    Figures: ``ndcg``, the mean over groups of the first ``at`` rows; ``pairs_in_order``, the mean share of pairs in the
    right order.

    Attributes:
        by: the request's text field that names the group.
        at: the number of rows that NDCG counts.

    >>> rows = Scored(np.array([[2.0], [1.0], [0.0]]), np.array([1.0, 0.0, 0.0]), np.array([5, 5, 5]))
    >>> Ranking("search_id").losses(rows).values.round(3).tolist()
    [0.22]
    """

    by: str
    at: int = 10

    kind: ClassVar[str] = "ranking"
    label_types: ClassVar[tuple[str, ...]] = ("number", "integer", "boolean")
    label_column: ClassVar[str] = "label_number"
    estimator: ClassVar[EstimatorKind] = "regressor"
    onnx_output: ClassVar[str] = "variable"

    def __post_init__(self) -> None:
        if not self.by or self.at < 1:
            raise DefinitionError("Ranking: write the request's field that names the group, and at=1 or more")

    @property
    def outputs(self) -> tuple[str, ...]:
        """``score``: higher is ranked before."""
        return ("score",)

    @property
    def figures(self) -> tuple[str, ...]:
        """NDCG and pairs."""
        return ("ndcg", "pairs_in_order")

    @property
    def group(self) -> str:
        """The declared field."""
        return self.by

    def for_label(self, field: LabelField) -> "Ranking":
        """A grade; that of a request without an outcome is one too."""
        if field.otherwise is not None and number_of(float(field.otherwise), f"{field.place}: otherwise") < 0:
            raise DefinitionError(f"{field.place}: otherwise={field.otherwise} must be a grade, 0 or more")
        return super().for_label(field)

    def encoded(self, labels: Array) -> Floats:
        """Grades, 0 or more."""
        return np.maximum(labels.astype(np.float64), 0.0)

    def lacking(self, labels: Floats) -> str:
        """Grades must differ."""
        return "" if len(np.unique(labels)) > 1 else "rows of different grades"

    def tolerance(self, labels: Floats) -> float:
        """A share of the grades' standard deviation."""
        return PROBABILITY_TOLERANCE * max(float(labels.std()), 1.0) if len(labels) else PROBABILITY_TOLERANCE

    def baseline(self, labels: Floats) -> OutputValues:
        """The mean grade: equal scores order nothing."""
        return (float(labels.mean()),)

    def losses(self, scored: Scored) -> Losses:
        """The mean pairwise loss of each group with pairs."""
        values, rows = self._by_group(scored, lambda ahead: np.logaddexp(0.0, -ahead))
        return Losses(values, rows)

    def measured(self, scored: Scored) -> dict[str, Interval]:
        """NDCG and the share of pairs in order, over groups."""
        in_order, _ = self._by_group(scored, lambda ahead: (ahead > 0) + 0.5 * (ahead == 0))
        gained = ndcg(scored.outputs[:, 0], scored.labels, scored.groups, self.at)
        return {"ndcg": mean_interval(gained), "pairs_in_order": mean_interval(in_order)}

    def _by_group(self, scored: Scored, of_pairs: Any) -> tuple[Floats, Any]:
        """For each group with pairs the mean of a function of how far the better row is ahead, and its first row."""
        order = np.argsort(scored.groups, kind="stable")
        starts = np.flatnonzero(np.diff(scored.groups[order], prepend=np.nan))
        found = [(self._of_group(scored, rows, of_pairs), rows[0]) for rows in np.split(order, starts[1:]) if len(rows)]
        known = [(value, row) for value, row in found if not np.isnan(value)]
        return np.array([value for value, _ in known]), np.array([row for _, row in known], np.int64)

    def _of_group(self, scored: Scored, rows: Any, of_pairs: Any) -> float:
        score, grade = scored.outputs[rows, 0], scored.labels[rows]
        is_better = grade[:, None] > grade[None, :]
        ahead = (score[:, None] - score[None, :])[is_better]
        return float(np.mean(of_pairs(ahead))) if len(ahead) else float("nan")
