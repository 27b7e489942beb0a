"""A number as label: the outputs are a point prediction, and quantiles if they are asked for."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Final, Literal, get_args

from smallbox.arrays import Floats, np
from smallbox.errors import DefinitionError
from smallbox.objectives.declared import number_of, numbers_of
from smallbox.objectives.objective import (
    EstimatorKind,
    LabelField,
    Losses,
    Objective,
    OutputValues,
    Scored,
    losses_by_row,
)
from smallbox.objectives.tolerance import tolerance_of_numbers
from smallbox.statistics.intervals import Interval, mean_interval
from smallbox.statistics.shares import share_interval

RegressionLoss = Literal["squared", "absolute", "poisson", "quantile"]

_LOSS_NAMES: Final[Mapping[RegressionLoss, str]] = {
    "squared": "squared error",
    "absolute": "absolute error",
    "poisson": "half Poisson deviance",
    "quantile": "pinball loss",
}

_SMALLEST_MEAN: Final = 1e-9
"""A Poisson mean is at least this: the loss of 0 for a count that happens would be infinite."""


@dataclass(frozen=True)
class Regression(Objective):
    """A number as label.

    The loss decides what the point output ``score`` means: with ``squared`` the mean, with ``absolute`` the median,
    with ``poisson`` the mean of a count (its loss is half the deviance). ``quantile`` has no point output: its loss is
    the mean pinball loss of the quantiles. Quantiles beside a point output are shown, and no decision compares them.

    A quantile ``q`` is output ``score_q<percent>``. Each output is a pipeline of its own: the estimator is called with
    ``quantile=q``, and with ``quantile=None`` for the point. Quantiles that cross are sorted in each row, which never
    costs (Chernozhukov, Fernandez-Val, Galichon, Econometrica 78, 2010).

    Figures: ``mae``, ``rmse``, ``bias`` (mean of prediction minus label); for each quantile ``below_q<percent>``, the
    share of labels at or below it, and ``pinball_q<percent>``.

    Attributes:
        loss: ``squared``, ``absolute``, ``poisson`` or ``quantile``.
        quantiles: each between 0 and 1, ascending.

    Raises:
        DefinitionError: when the loss is unknown, or the quantiles do not ascend between 0 and 1.

    >>> Regression("squared", quantiles=(0.1, 0.9)).outputs
    ('score', 'score_q10', 'score_q90')
    >>> rows = Scored(np.array([[10.0]]), np.array([13.0]), np.zeros(1, int))
    >>> Regression("squared").losses(rows).values.tolist()
    [9.0]
    """

    loss: RegressionLoss = "squared"
    quantiles: tuple[float, ...] = ()

    kind: ClassVar[str] = "regression"
    label_types: ClassVar[tuple[str, ...]] = ("number", "integer")
    label_column: ClassVar[str] = "label_number"
    estimator: ClassVar[EstimatorKind] = "regressor"
    onnx_output: ClassVar[str] = "variable"

    def __post_init__(self) -> None:
        if self.loss not in get_args(RegressionLoss):
            raise DefinitionError(f"Regression: loss={self.loss!r}; write one of {', '.join(get_args(RegressionLoss))}")
        numbers = [number_of(one, "Regression: one of quantiles") for one in self.quantiles]
        object.__setattr__(self, "quantiles", tuple(numbers))
        if sorted({*numbers}) != numbers or any(not 0 < one < 1 for one in numbers):
            raise DefinitionError(
                f"Regression: quantiles={self.quantiles} must ascend between 0 and 1, like (0.1, 0.5, 0.9)"
            )
        if self.loss == "quantile" and not numbers:
            raise DefinitionError("Regression: loss='quantile' needs quantiles, like quantiles=(0.1, 0.5, 0.9)")

    @property
    def has_point(self) -> bool:
        """Whether there is a point output beside the quantiles."""
        return self.loss != "quantile"

    @cached_property
    def outputs(self) -> tuple[str, ...]:
        """``score`` for the point, then ``score_q<percent>``."""
        return (*("score",) * self.has_point, *(f"score_{name}" for name in self._names))

    @property
    def _names(self) -> tuple[str, ...]:
        return tuple(f"q{100 * one:g}".replace(".", "_") for one in self.quantiles)

    @property
    def loss_name(self) -> str:
        """For people; the unit is that of the label, and of a squared error its square."""
        return _LOSS_NAMES[self.loss]

    @property
    def figures(self) -> tuple[str, ...]:
        """Those of the point, then two for each quantile."""
        of_point = ("mae", "rmse", "bias") * self.has_point
        return (*of_point, *(f"{figure}_{name}" for name in self._names for figure in ("below", "pinball")))

    @property
    def heads(self) -> tuple[Mapping[str, float], ...]:
        """The point, then each quantile."""
        return (*({},) * self.has_point, *({"quantile": one} for one in self.quantiles))

    @property
    def ascending(self) -> slice:
        """The quantiles."""
        return slice(int(self.has_point), None)

    def for_label(self, field: LabelField) -> "Regression":
        """Any number; the label without an outcome is one too, of a count not below 0."""
        completed = super().for_label(field)
        if field.otherwise is not None and number_of(field.otherwise, f"{field.place}: otherwise") < self._smallest:
            raise DefinitionError(f"{field.place}: otherwise is {field.otherwise}; a count is not negative")
        return completed

    @property
    def _smallest(self) -> float:
        return 0.0 if self.loss == "poisson" else -math.inf

    def impossible(self, labels: Floats) -> str:
        """A count is not negative."""
        negative = int((labels < self._smallest).sum())
        return f"{negative} labels are negative, and Regression('poisson') predicts counts" if negative else ""

    def lacking(self, labels: Floats) -> str:
        """Labels must differ: one number alone teaches nothing."""
        return "" if len(labels) and labels.min() < labels.max() else "rows of different labels"

    def tolerance(self, labels: Floats) -> float:
        """As :func:`tolerance_of_numbers`."""
        return tolerance_of_numbers(labels)

    def baseline(self, labels: Floats) -> OutputValues:
        """Mean or median, and the quantiles of the labels: not interpolated, which would cost in small samples."""
        point = float(np.median(labels) if self.loss == "absolute" else labels.mean())
        quantiles = np.quantile(labels, self.quantiles, method="inverted_cdf").tolist()
        return (*(point,) * self.has_point, *quantiles)

    def fallback_outputs(self, declared: Any, place: str) -> OutputValues:
        """A number for every output: one for the point alone, else numbers by output."""
        if len(self.outputs) == 1:
            return super().fallback_outputs(declared, place)
        values = numbers_of(declared, self.outputs, place)
        self.check_outputs(values, place)
        return values

    def check_outputs(self, outputs: OutputValues, place: str) -> None:
        """Quantiles ascend; a mean of counts is not negative."""
        if list(outputs[self.ascending]) != sorted(outputs[self.ascending]):
            raise DefinitionError(f"{place}: the quantiles must ascend")
        if self.loss == "poisson" and outputs[0] < 0:
            raise DefinitionError(f"{place} is {outputs[0]:g}; the mean of a count is not negative")

    def losses(self, scored: Scored) -> Losses:
        """The declared loss of the point, or the mean pinball loss of the quantiles."""
        point, labels = scored.outputs[:, 0], scored.labels
        if self.loss == "squared":
            return losses_by_row((point - labels) ** 2)
        if self.loss == "absolute":
            return losses_by_row(np.abs(point - labels))
        if self.loss == "poisson":
            return losses_by_row(_poisson_loss(point, labels))
        return losses_by_row(np.mean([_pinball(scored.outputs[:, n], labels, q) for n, q in self._at()], axis=0))

    def _at(self) -> Sequence[tuple[int, float]]:
        """The position and the level of each quantile."""
        return list(enumerate(self.quantiles, start=int(self.has_point)))

    def measured(self, scored: Scored) -> dict[str, Interval]:
        """Errors of the point; coverage and pinball loss of each quantile."""
        found: dict[str, Interval] = {}
        if self.has_point:
            errors = scored.outputs[:, 0] - scored.labels
            squared = mean_interval(errors**2)
            found = {"mae": mean_interval(np.abs(errors)), "rmse": _root(squared), "bias": mean_interval(errors)}
        for name, (position, level) in zip(self._names, self._at(), strict=True):
            quantile = scored.outputs[:, position]
            found[f"below_{name}"] = share_interval(scored.labels <= quantile)
            found[f"pinball_{name}"] = mean_interval(_pinball(quantile, scored.labels, level))
        return found

    def answer(self, outputs: Sequence[float]) -> dict[str, Any]:
        """The point, and the quantiles by level."""
        levels = {f"{one:g}": outputs[at] for at, one in self._at()}
        point = {"score": outputs[0]} if self.has_point else {}
        return point | ({"quantiles": levels} if levels else {})

    def answer_schema(self) -> dict[str, Any]:
        """The point, and the quantiles by level, as far as there are any."""
        properties = {f"{one:g}": {"type": ["number", "null"]} for _, one in self._at()}
        point = {"score": {"type": ["number", "null"]}} if self.has_point else {}
        quantiles = {"quantiles": {"type": "object", "required": [*properties], "properties": properties}}
        return point | (quantiles if properties else {})


def _root(squared: Interval) -> Interval:
    value, low, high = (float(np.sqrt(max(one, 0.0))) for one in (squared.value, squared.low, squared.high))
    return Interval(value, low, high)


def _pinball(quantile: Floats, labels: Floats, level: float) -> Floats:
    """The pinball loss (Koenker and Bassett, Econometrica 46, 1978): smallest on average at the true quantile."""
    missed = labels - quantile
    found: Floats = np.maximum(level * missed, (level - 1) * missed)
    return found


def _poisson_loss(mean: Floats, counts: Floats) -> Floats:
    """Half the Poisson deviance: ``y log(y / m) - y + m``; 0 for the right mean."""
    kept = np.maximum(mean, _SMALLEST_MEAN)
    logs = np.where(counts > 0, counts * np.log(np.maximum(counts, _SMALLEST_MEAN) / kept), 0.0)
    found: Floats = logs - counts + kept
    return found
