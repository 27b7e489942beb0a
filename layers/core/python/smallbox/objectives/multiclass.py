"""A text label with declared classes: the outputs are the probabilities of the classes."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, Self

from smallbox.arrays import Array, Bools, Floats, Ints, np
from smallbox.errors import DefinitionError
from smallbox.objectives.declared import numbers_of
from smallbox.objectives.objective import (
    EstimatorKind,
    LabelField,
    Losses,
    Objective,
    OutputValues,
    Scored,
    losses_by_row,
)
from smallbox.objectives.probabilities import level_set, log_losses
from smallbox.statistics.calibration import calibration
from smallbox.statistics.intervals import Interval
from smallbox.statistics.ratios import mean_of_ratios
from smallbox.statistics.shares import share_interval

_UNKNOWN_CLASS = -1.0
_SUM_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Multiclass(Objective):
    """A text label, judged by log loss: the negative logarithm of the probability given to the class that happened.

    Figures: ``accuracy``, the share of rows whose most probable class happened; ``macro_f1``, the mean over classes of
    the harmonic mean of precision and recall; ``calibration_error`` (ECE) of the most probable class.

    Attributes:
        classes: the texts of the classes, in the order of the outputs. By default the choices of the label's field,
            then the label's ``otherwise`` when it is another class.

    Raises:
        DefinitionError: when two classes would have the same column.
    """

    classes: tuple[str, ...] = ()

    kind: ClassVar[str] = "multiclass"
    label_types: ClassVar[tuple[str, ...]] = ("text",)
    label_column: ClassVar[str] = "label_text"
    estimator: ClassVar[EstimatorKind] = "classifier"
    onnx_output: ClassVar[str] = "probabilities"
    calibration_share: ClassVar[float] = 0.15

    def __post_init__(self) -> None:
        written: Any = self.classes
        if isinstance(written, str) or not all(isinstance(name, str) for name in written):
            raise DefinitionError(f"Multiclass: classes is {written!r}; write texts, like ('on_time', 'late')")
        object.__setattr__(self, "classes", tuple(self.classes))
        twice = [name for name in self.outputs if self.outputs.count(name) > 1]
        if twice:
            raise DefinitionError(f"Multiclass: two classes would have the column {twice[0]!r}; rename one")

    @cached_property
    def outputs(self) -> tuple[str, ...]:
        """``score_<class>``, in lower case; characters that no column may have are underscores."""
        return tuple("score_" + re.sub(r"\W+", "_", name.lower()) for name in self.classes)

    @property
    def loss_name(self) -> str:
        """For people."""
        return "log loss"

    @property
    def figures(self) -> tuple[str, ...]:
        """Hits, F1 and calibration."""
        return ("accuracy", "macro_f1", "calibration_error")

    @property
    def onnx_columns(self) -> tuple[int, ...]:
        """All classes, in order."""
        return tuple(range(len(self.classes)))

    def for_label(self, field: LabelField) -> Self:
        """Take the classes from the field."""
        super().for_label(field)
        other = field.otherwise
        more = (str(other),) if other is not None and other not in field.choices else ()
        own = self.classes or (*field.choices, *more)
        missing = sorted({*field.choices, *more} - set(own))
        if missing:
            raise DefinitionError(f"{field.place}: Multiclass(classes=...) lacks {', '.join(missing)}; add it")
        if len(own) < 2:  # noqa: PLR2004 - one class is certain
            raise DefinitionError(
                f"{field.place}: a text label needs its classes, at least two; write text(choices=(...)) in the source"
            )
        return replace(self, classes=own)

    def encoded(self, labels: Array) -> Floats:
        """The position of each class; -1 for a text that is none."""
        names, codes = np.unique(labels.astype(str), return_inverse=True)
        known = [self.classes.index(n) if n in self.classes else _UNKNOWN_CLASS for n in names.tolist()]
        return np.array(known, float)[codes]

    def targets(self, labels: Floats) -> Ints:
        """Positions, so that the estimator has the classes in this order."""
        return labels.astype(np.int64)

    def impossible(self, labels: Floats) -> str:
        """Every text must be a class: the estimator would have one class more."""
        unknown = int((labels < 0).sum())
        known = ", ".join(self.classes)
        said = f"{unknown} labels are none of the classes {known}; name theirs too, with Multiclass(classes=(...))"
        return said if unknown else ""

    def lacking_to_calibrate(self, labels: Floats) -> str:
        """A temperature needs rows, whatever their classes."""
        return Objective.lacking(self, labels)

    def lacking(self, labels: Floats) -> str:
        """Every class must occur."""
        counts = self._counts(labels)
        missing = [name for name, count in zip(self.classes, counts, strict=True) if not count]
        return f"rows of {', '.join(missing)}" if missing else ""

    def _counts(self, labels: Floats) -> Ints:
        return np.bincount(labels[labels >= 0].astype(np.int64), minlength=len(self.classes))

    def predicted(self, pipeline: Any, inputs: Any) -> Floats:
        """The probability of each class."""
        return np.asarray(pipeline.predict_proba(inputs), np.float64)

    def calibrated(self, estimator: Any, prepared: Any, labels: Floats, groups: Ints) -> Any:  # noqa: ARG002
        """Temperature scaling (Guo et al., ICML 2017): one parameter, which keeps the order of the classes."""
        from smallbox.objectives.temperature import TemperatureScaled  # noqa: PLC0415 - needs scikit-learn

        return TemperatureScaled(estimator).fit(prepared, self.targets(labels))

    def baseline(self, labels: Floats) -> OutputValues:
        """The share of each class among the labels that are one."""
        counts = self._counts(labels)
        return tuple((counts / counts.sum()).tolist())

    def fallback_outputs(self, declared: Any, place: str) -> OutputValues:
        """Probabilities by class, which add up to 1."""
        values = numbers_of(declared, self.classes, place)
        self.check_outputs(values, place)
        return values

    def check_outputs(self, outputs: OutputValues, place: str) -> None:
        """Probabilities that add up to 1."""
        if min(outputs) < 0 or abs(sum(outputs) - 1) > _SUM_TOLERANCE:
            raise DefinitionError(f"{place}: the probabilities add up to {sum(outputs):g}; write ones that add up to 1")

    def losses(self, scored: Scored) -> Losses:
        """Log loss; an unknown class was given no probability."""
        is_known = scored.labels >= 0
        at = np.where(is_known, scored.labels, 0).astype(np.int64)
        return losses_by_row(log_losses(np.where(is_known, scored.outputs[np.arange(len(at)), at], 0.0)))

    def with_level_set(self, scored: Scored) -> Scored:
        """A factor on the probability of each class."""
        return scored.beside(level_set(scored.outputs, scored.labels.astype(np.int64)))

    def measured(self, scored: Scored) -> dict[str, Interval]:
        """Accuracy, macro F1 over the classes that occur, and the calibration error of the most probable class."""
        chosen = scored.outputs.argmax(axis=1) if len(scored) else np.empty(0, np.int64)
        hits = chosen == scored.labels
        best = scored.outputs.max(axis=1, initial=0.0)
        return {
            "accuracy": share_interval(hits),
            "macro_f1": self._macro_f1(chosen, scored.labels),
            "calibration_error": calibration(best, hits).interval,
        }

    def agreement(self, scored: Scored) -> tuple[Floats, Floats]:
        """The probability of the most probable class, and whether it happened."""
        return scored.outputs.max(axis=1), (scored.outputs.argmax(axis=1) == scored.labels).astype(float)

    def _macro_f1(self, chosen: Ints, labels: Floats) -> Interval:
        """F1 is a ratio of means, ``2 hits / (predicted + happened)``, so its mean over classes has a delta method."""
        pairs = []
        for position in range(len(self.classes)):
            is_chosen, is_true = (chosen == position).astype(float), (labels == position).astype(float)
            pairs.append((2 * is_chosen * is_true, is_chosen + is_true))
        return mean_of_ratios([pair for pair in pairs if pair[1].any()])

    def rarer(self, labels: Floats) -> int:
        """The rows of the class that has fewest."""
        return int(self._counts(labels).min())

    def parts(self, labels: Floats) -> dict[str, Bools]:
        """The rows of each class."""
        return {name: labels == position for position, name in enumerate(self.classes)}

    def answer(self, outputs: Sequence[float]) -> dict[str, Any]:
        """The probability of each class, and the most probable one; none where the model gave no numbers."""
        best = None if any(map(math.isnan, outputs)) else self.classes[outputs.index(max(outputs))]
        return {"score": dict(zip(self.classes, outputs, strict=True)), "class": best}

    def answer_schema(self) -> dict[str, Any]:
        """A probability for each class, and one of the classes; null where the model gave no numbers."""
        properties = {name: {"type": ["number", "null"], "minimum": 0, "maximum": 1} for name in self.classes}
        shares = {"type": "object", "required": [*self.classes], "properties": properties}
        return {"score": shares, "class": {"enum": [*self.classes, None]}}
