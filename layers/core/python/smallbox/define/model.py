"""A model definition: its signature, its estimator and its rules."""

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Final

from smallbox.define.argument_types import check_kind
from smallbox.define.rules import Gate, Label, Monitor, Release, Retrain
from smallbox.define.signature import Columns, Signature
from smallbox.define.source import Source, check_not_personal
from smallbox.errors import DefinitionError
from smallbox.times import DAY

_DAYS_TO_JUDGE: Final = 7
"""Days to judge that the error message proposes for a canary without any: a whole week, because weekdays differ."""

Estimator = Callable[[Columns], Any]
"""Builds an unfitted scikit-learn classifier pipeline. Import scikit-learn inside the function."""


def label(source: Source, *, on: str, value: str, within: str, otherwise: bool | None = None) -> Label:
    """The label: the boolean ``value`` of the record of ``source`` whose ``on`` equals the request's key.

    Args:
        source: the source of the ground truth.
        on: its field that holds the request's key.
        value: its boolean field that holds the outcome.
        within: attribution window: how long after the request's event time an outcome still counts, like ``"7d"``.
        otherwise: the label of a request without an outcome once the attribution window is over. Write
            ``otherwise=False`` where only positive outcomes are reported, as with chargebacks. By default such a
            request has no label.

    Raises:
        DefinitionError: when a field is missing or has the wrong type. Only boolean labels are supported so far.
    """
    check_kind("label: source", source, Source, "the Source whose records bring the outcome")
    for name, kind in ((on, "text"), (value, "boolean")):
        found = source.fields.get(name)
        if found is None or found.type != kind:
            raise DefinitionError(_no_label_field(source, name, kind))
        check_not_personal(source, name, "label's field")
    return Label(source.name, on, value, within, otherwise)


def _no_label_field(source: Source, name: str, kind: str) -> str:
    found = source.fields.get(name)
    if found is None:
        return f"label: {name!r} is not a field of source {source.name}; it has {', '.join(source.fields)}"
    if kind == "boolean":
        return (
            f"label: {name!r} is a {found.type} field of source {source.name}, and only boolean labels are supported "
            "so far; send a boolean field that says whether the outcome happened, like late=boolean()"
        )
    return f"label: {name!r} must be a {kind} field of source {source.name}; it is a {found.type}"


@dataclass(frozen=True, eq=False)
class Model(Signature):
    """One model: what it predicts, from what, and the rules of its life cycle.

    Attributes:
        estimator: builds the unfitted pipeline from the columns.
        gate: quality checks that a version must pass before it may serve.
        release: how an accepted version is rolled out.
        monitor: what counts as a breach.
        retrain: when to retrain, and on which data.
        fallback: the score to answer with when the model fails, marked as fallback; ``None`` answers with an error.

    The other attributes are those of :class:`~smallbox.define.signature.Signature`.

    Raises:
        DefinitionError: as the signature; when no row is left to train on, or a canary would see no label.
    """

    _: KW_ONLY
    estimator: Estimator
    gate: Gate = field(default_factory=Gate)
    release: Release = field(default_factory=Release)
    monitor: Monitor = field(default_factory=Monitor)
    retrain: Retrain = field(default_factory=Retrain)
    fallback: float | None = field(default=None)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_rules()
        self._check_window()
        self._check_canary()

    def _check_rules(self) -> None:
        place = f"model {self.name}"
        check_kind(f"{place}: estimator", self.estimator, Callable, "the function itself, without parentheses")
        for kind in (Gate, Release, Monitor, Retrain):
            name = kind.__name__
            check_kind(f"{place}: {name.lower()}", getattr(self, name.lower()), kind, f"{name}(...)")

    def _check_window(self) -> None:
        # the last attribution window has no labels yet, and another one is the embargo before the validation period
        if 2 * self.label.within_micros + self.retrain.validation_micros >= self.retrain.window_micros:
            raise DefinitionError(
                f"model {self.name}: retrain window={self.retrain.window!r} leaves no rows to train on; it must be "
                f"longer than twice the label's within={self.label.within!r} and validation="
                f"{self.retrain.validation!r} together"
            )

    def _check_canary(self) -> None:
        within, longest = -(-self.label.within_micros // DAY), self.release.max_days
        if self.release.canary and longest <= within:
            raise DefinitionError(
                f"model {self.name}: a canary of at most {longest} days sees no label that is certain after "
                f"within={self.label.within!r}; write release=Release(max_days={within + _DAYS_TO_JUDGE}) or more"
            )
