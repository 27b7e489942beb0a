"""A fourth kind of label, in this one file: ordered classes, judged by the ranked probability score."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np

from smallbox.arrays import Array, Floats, Ints
from smallbox.errors import DefinitionError
from smallbox.objectives.objective import (
    EstimatorKind,
    LabelField,
    Losses,
    Objective,
    OutputValues,
    Scored,
    losses_by_row,
    number_of,
)
from smallbox.statistics.intervals import Interval, mean_interval


@dataclass(frozen=True)
class Ordinal(Objective):
    """A text of ordered levels. A level that is missed by two costs more than one that is missed by one.

    Figure: ``levels_off``, the mean distance of the most probable level from the one that happened.

    Attributes:
        levels: the texts, lowest first; by default the choices of the label's field.
    """

    levels: tuple[str, ...] = ()

    kind: ClassVar[str] = "ordinal"
    label_types: ClassVar[tuple[str, ...]] = ("text",)
    label_column: ClassVar[str] = "label_text"
    estimator: ClassVar[EstimatorKind] = "classifier"
    onnx_output: ClassVar[str] = "probabilities"

    @property
    def outputs(self) -> tuple[str, ...]:
        """The probability of each level."""
        return tuple("score_" + re.sub(r"\W+", "_", name.lower()) for name in self.levels)

    @property
    def figures(self) -> tuple[str, ...]:
        """The distance."""
        return ("levels_off",)

    @property
    def onnx_columns(self) -> tuple[int, ...]:
        """All levels, in order."""
        return tuple(range(len(self.levels)))

    def for_label(self, field: LabelField) -> Self:
        """Take the levels from the field."""
        return replace(super().for_label(field), levels=self.levels or field.choices)

    def encoded(self, labels: Array) -> Floats:
        """The position of each level."""
        return np.array([self.levels.index(one) for one in labels.tolist()], float)

    def targets(self, labels: Floats) -> Ints:
        """Positions."""
        return labels.astype(np.int64)

    def lacking(self, labels: Floats) -> str:
        """Every level must occur."""
        missing = [name for position, name in enumerate(self.levels) if position not in labels]
        return f"rows of {', '.join(missing)}" if missing else ""

    def predicted(self, pipeline: Any, inputs: Any) -> Floats:
        """The probability of each level."""
        return np.asarray(pipeline.predict_proba(inputs), np.float64)

    def baseline(self, labels: Floats) -> OutputValues:
        """The share of each level."""
        return tuple(float((labels == position).mean()) for position in range(len(self.levels)))

    def fallback_outputs(self, declared: Any, place: str) -> OutputValues:
        """A probability by level."""
        if not isinstance(declared, Mapping) or set(declared) != set(self.levels):
            raise DefinitionError(f"{place} is {declared!r}; write a probability for each of {', '.join(self.levels)}")
        return tuple(number_of(declared[name], place) for name in self.levels)

    def losses(self, scored: Scored) -> Losses:
        """The ranked probability score: squared distances of the cumulative probabilities from what happened."""
        reached = np.arange(len(self.levels)) >= scored.labels[:, None]
        return losses_by_row(((scored.outputs.cumsum(axis=1) - reached) ** 2).sum(axis=1))

    def measured(self, scored: Scored) -> dict[str, Interval]:
        """The mean distance."""
        return {"levels_off": mean_interval(np.abs(scored.outputs.argmax(axis=1) - scored.labels))}

    def rarer(self, labels: Floats) -> int:
        """The rows of the rarest level."""
        return min(int((labels == position).sum()) for position in range(len(self.levels)))

    def answer(self, outputs: Sequence[float]) -> dict[str, Any]:
        """The probabilities, and the median level."""
        median = int(np.searchsorted(np.cumsum(outputs), 0.5))
        return {
            "score": dict(zip(self.levels, outputs, strict=True)),
            "median": self.levels[min(median, len(self.levels) - 1)],
        }
