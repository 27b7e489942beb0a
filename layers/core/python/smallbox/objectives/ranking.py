"""A grade as label, of rows that are ranked within a group: the output is a score that orders the group."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final

from smallbox.arrays import Floats, Ints, np
from smallbox.errors import DefinitionError
from smallbox.objectives.objective import (
    EstimatorKind,
    LabelField,
    Losses,
    Objective,
    OutputValues,
    Scored,
)
from smallbox.objectives.tolerance import tolerance_of_numbers
from smallbox.statistics.intervals import Interval, mean_interval
from smallbox.statistics.ranking import means_over_pairs, ndcg

MAX_GRADE: Final = 31
"""A grade counts exponentially; beyond this one row would outweigh all others."""


@dataclass(frozen=True)
class Ranking(Objective):
    """Rows that are ranked within a group, like the products of one search.

    The label is a grade, 0 to 31; a boolean counts as 0 and 1. The unit of the loss is the group: the mean over its
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
    def loss_name(self) -> str:
        """For people."""
        return "pairwise logistic loss"

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
        completed = super().for_label(field)
        if not 0 <= float(field.otherwise or 0) <= MAX_GRADE:
            raise DefinitionError(f"{field.place}: otherwise={field.otherwise} must be a grade, 0 to {MAX_GRADE}")
        return completed

    def impossible(self, labels: Floats) -> str:
        """Grades are 0 to 31."""
        wrong = int(((labels < 0) | (labels > MAX_GRADE)).sum())
        return f"{wrong} labels are no grades, 0 to {MAX_GRADE}: NDCG counts a grade as 2**grade - 1" if wrong else ""

    def lacking(self, labels: Floats) -> str:
        """Grades must differ."""
        return "" if len(np.unique(labels)) > 1 else "rows of different grades"

    def tolerance(self, labels: Floats) -> float:
        """As :func:`~smallbox.objectives.tolerance.tolerance_of_numbers`."""
        return tolerance_of_numbers(labels)

    def baseline(self, labels: Floats) -> OutputValues:
        """The mean grade: equal scores order nothing."""
        return (float(labels.mean()),)

    def losses(self, scored: Scored) -> Losses:
        """The mean pairwise loss of each group with pairs."""
        return Losses(*self._by_group(scored, lambda ahead: np.logaddexp(0.0, -ahead)))

    def measured(self, scored: Scored) -> dict[str, Interval]:
        """NDCG and the share of pairs in order, over groups."""
        in_order, _ = self._by_group(scored, lambda ahead: (ahead > 0) + 0.5 * (ahead == 0))
        grades = np.clip(scored.labels, 0, MAX_GRADE)
        gained = ndcg(scored.outputs[:, 0], grades, scored.groups, self.at)
        return {"ndcg": mean_interval(gained), "pairs_in_order": mean_interval(in_order)}

    def _by_group(self, scored: Scored, of_ahead: Callable[[Floats], Floats]) -> tuple[Floats, Ints]:
        return means_over_pairs(scored.outputs[:, 0], scored.labels, scored.groups, of_ahead)
