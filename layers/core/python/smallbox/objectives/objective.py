"""What every stage asks about a kind of label; each kind is one module of this room.

    label field -> estimator -> ONNX -> outputs (n, k) -> answer, log, file
                                           |
                     labels (n,) ------- losses (n,) -> gate, release, alarms
                                           |
                                        figures (AUC, MAE, F1, NDCG, ...), shown and as guardrails

A decision compares the mean of a proper loss: one that is smallest on average for the true distribution (Gneiting and
Raftery, JASA 102, 2007). It is a sum over rows, so parts of any table can be merged.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Final, Literal, Self

from smallbox.arrays import Array, Bools, Floats, Ints, np
from smallbox.errors import DefinitionError
from smallbox.objectives.declared import number_of
from smallbox.objectives.tolerance import PROBABILITY_TOLERANCE
from smallbox.statistics.intervals import Interval

EstimatorKind = Literal["classifier", "regressor"]
OutputValues = tuple[float, ...]

_VALUES: Final[Mapping[str, tuple[type, ...]]] = {
    "boolean": (bool,),
    "text": (str,),
    "number": (float, int),
    "integer": (int,),
}
"""The types of a label's value, by the type of its field."""

_WRITE: Final[Mapping[str, str]] = {
    "boolean": "write True or False",
    "number": "write a number",
    "integer": "write a whole number",
    "text": "write a text, in quotes",
}


@dataclass(frozen=True, slots=True)
class LabelField:
    """What an objective needs to know of the label.

    Attributes:
        place: where the label is declared, for error messages.
        type: the type of its field.
        choices: the texts that the field allows, when they are declared.
        otherwise: the label of a request without an outcome; ``None`` when it has none.
    """

    place: str
    type: str
    choices: tuple[str, ...] = ()
    otherwise: bool | float | str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """``n`` rows with outputs and labels.

    Attributes:
        outputs: ``(n, k)``, a column for each of the objective's ``outputs``.
        labels: ``(n,)`` as :meth:`Objective.encoded` gives them.
        groups: ``(n,)`` the number of each row's group; all 0 for an objective without groups.
    """

    outputs: Floats
    labels: Floats
    groups: Ints

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: Bools | Ints | slice) -> "Scored":
        """Some of the rows, by mask, positions or slice."""
        return Scored(self.outputs[rows], self.labels[rows], self.groups[rows])

    def beside(self, outputs: Floats | OutputValues) -> "Scored":
        """The same rows with other outputs, or with the same constant outputs in each row."""
        return Scored(np.broadcast_to(np.asarray(outputs, float), self.outputs.shape), self.labels, self.groups)


@dataclass(frozen=True, slots=True, eq=False)
class Losses:
    """The loss of each unit: a row, or a group of a ranking.

    Attributes:
        values: ``(u,)``, lower is better.
        rows: ``(u,)`` the position of the unit's first row.
    """

    values: Floats
    rows: Ints


@dataclass(frozen=True)
class Objective(ABC):
    """A kind of label: its field, its outputs and how they are judged.

    Attributes:
        kind: the name of its module in this room, which a frozen signature keeps.
        label_types: the field types that its label may have.
        label_column: the column of the labelled predictions that has the label; it depends on the label's type.
        estimator: what the user's pipeline ends in.
        onnx_output: the output of an exported pipeline that is read.
        calibration_share: the share of the training rows, the last ones in time, that calibrates instead of fitting.
        figures: the names of its figures; a guardrail names one of them.
    """

    kind: ClassVar[str]
    label_types: ClassVar[tuple[str, ...]]
    label_column: ClassVar[str]
    estimator: ClassVar[EstimatorKind]
    onnx_output: ClassVar[str]
    calibration_share: ClassVar[float] = 0.0

    @property
    @abstractmethod
    def outputs(self) -> tuple[str, ...]:
        """The names of the outputs: columns of the log, of scored files, and tensors of the inference protocol."""

    @property
    @abstractmethod
    def figures(self) -> tuple[str, ...]:
        """The names of the figures that :meth:`measured` gives."""

    @property
    def loss_name(self) -> str:
        """What the loss is called, for people."""
        return "loss"

    @property
    def heads(self) -> tuple[Mapping[str, float], ...]:
        """The pipelines that are fitted, each by the keyword arguments that the estimator gets besides the columns."""
        return ({},)

    @property
    def onnx_columns(self) -> tuple[int, ...]:
        """The columns of ``onnx_output`` that are outputs, for each head."""
        return (0,)

    @property
    def ascending(self) -> slice:
        """The outputs that are sorted within each row, like quantiles; none by default."""
        return slice(0, 0)

    @property
    def group(self) -> str:
        """The request field whose value groups the rows that are ranked together; empty for none."""
        return ""

    def for_label(self, field: LabelField) -> Self:
        """This objective, completed by what the label's field says.

        Raises:
            DefinitionError: when the field cannot be such a label.
        """
        if field.type not in self.label_types:
            raise DefinitionError(
                f"{field.place} is a {field.type} field; {type(self).__name__} predicts a "
                f"{' or '.join(self.label_types)} field"
            )
        if field.otherwise is not None and type(field.otherwise) not in _VALUES[field.type]:
            raise DefinitionError(f"{field.place}: otherwise is {field.otherwise!r}; {_WRITE[field.type]}")
        return self

    def encoded(self, labels: Array) -> Floats:
        """Labels, none of them null, as numbers ``(n,)``."""
        return labels.astype(np.float64)

    def targets(self, labels: Floats) -> Array:
        """What the estimator is fitted to."""
        return labels

    def impossible(self, labels: Floats) -> str:  # noqa: ARG002 - others need them
        """Which labels of a dataset cannot be, for a sentence; empty when all can."""
        return ""

    def lacking(self, labels: Floats) -> str:
        """What rows lack to be fitted on, for a sentence; empty when nothing."""
        return "" if len(labels) else "rows"

    def lacking_to_calibrate(self, labels: Floats) -> str:
        """What rows lack to calibrate, for a sentence; by default as to be fitted on."""
        return self.lacking(labels)

    def predicted(self, pipeline: Any, inputs: Any) -> Floats:
        """One head's outputs by scikit-learn, ``(n, c)``."""
        return np.asarray(pipeline.predict(inputs), np.float64).reshape(-1, 1)

    def calibrated(
        self,
        estimator: Any,
        prepared: Any,  # noqa: ARG002 - others need these
        labels: Floats,  # noqa: ARG002
        groups: Ints,  # noqa: ARG002
    ) -> Any:
        """A fitted estimator, calibrated on rows that did not fit it; itself where nothing is to be calibrated.

        Args:
            estimator: the last step of a fitted pipeline.
            prepared: the rows as the steps before it hand them over.
            labels: ``(n,)``.
            groups: ``(n,)``.
        """
        return estimator

    def arranged(self, outputs: Floats) -> Floats:
        """The outputs with those of :attr:`ascending` sorted in each row."""
        found = outputs.copy()
        found[:, self.ascending] = np.sort(outputs[:, self.ascending], axis=1)
        return found

    def tolerance(self, labels: Floats) -> float:  # noqa: ARG002 - others need them
        """The largest accepted difference between an output of ONNX and of scikit-learn."""
        return PROBABILITY_TOLERANCE

    @abstractmethod
    def baseline(self, labels: Floats) -> OutputValues:
        """The best constant outputs for these labels."""

    def fallback_outputs(self, declared: Any, place: str) -> OutputValues:
        """The outputs of a declared fallback: a number, when there is one output.

        Raises:
            DefinitionError: when it is not a valid prediction.
        """
        value = number_of(declared, place)
        self.check_outputs((value,), place)
        return (value,)

    def check_outputs(self, outputs: OutputValues, place: str) -> None:  # noqa: B027 - any number is valid by default
        """Raise :class:`DefinitionError` unless the outputs of one row are a valid prediction."""

    @abstractmethod
    def losses(self, scored: Scored) -> Losses:
        """The loss of each row or group."""

    @abstractmethod
    def measured(self, scored: Scored) -> dict[str, Interval]:
        """The figures of rows by name."""

    def with_level_set(self, scored: Scored) -> Scored | None:  # noqa: ARG002 - others need them
        """The rows with outputs whose level fits their labels; ``None`` for an objective that has no level to set."""
        return None

    def rarer(self, labels: Floats) -> int:
        """The number of rows of the rarest outcome; all rows when the label is a number."""
        return len(labels)

    def parts(self, labels: Floats) -> dict[str, Bools]:
        """Masks of the rows by outcome, to compare how late their labels come; numbers in two halves."""
        if not len(labels):
            return {}
        middle = float(np.median(labels))
        return {f"up to {middle:g}": labels <= middle, f"above {middle:g}": labels > middle}

    def agreement(self, scored: Scored) -> tuple[Floats, Floats]:
        """For each row what was predicted and what happened, as numbers whose means agree when it is calibrated."""
        return scored.outputs[:, 0], scored.labels

    def answer(self, outputs: Sequence[float]) -> dict[str, Any]:
        """One row's outputs as a caller sees them; NaN, where the model gave no number, is null there."""
        return {"score": outputs[0]}

    def answer_schema(self) -> dict[str, Any]:
        """The properties of :meth:`answer`, each a JSON Schema; every answer has all of them."""
        return {"score": {"type": ["number", "null"]}}

    def as_json(self) -> dict[str, Any]:
        """The objective as a document."""
        return {"kind": self.kind, **asdict(self)}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Objective":
        """The inverse of :meth:`as_json`."""
        values = {name: tuple(value) if isinstance(value, list) else value for name, value in document.items()}
        return cls(**values)


def losses_by_row(values: Floats) -> Losses:
    """The losses of rows that each are a unit."""
    return Losses(values, np.arange(len(values)))
