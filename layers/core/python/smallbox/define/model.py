"""A model definition: request, feature views, label, estimator and rules."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import FunctionType
from typing import Any, Final

from smallbox.define.argument_types import check_kind, check_several
from smallbox.define.attributes import View
from smallbox.define.on_demand import OnDemand, dependency_order, parameters_of
from smallbox.define.rules import Gate, Label, Monitor, Release, Retrain
from smallbox.define.source import Source, check_name, check_not_personal
from smallbox.errors import DefinitionError
from smallbox.times import DAY


@dataclass(frozen=True, slots=True)
class Columns:
    """The model's input columns, in the order of its input matrices.

    Attributes:
        numeric: columns of the float32 matrix: numeric request inputs, then the features of each view.
        categorical: columns of the text matrix.
    """

    numeric: tuple[str, ...]
    categorical: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """All columns, numeric first: the order of a training frame."""
        return self.numeric + self.categorical

    @property
    def numeric_positions(self) -> list[int]:
        """Positions of the numeric columns in a training frame."""
        return list(range(len(self.numeric)))

    @property
    def categorical_positions(self) -> list[int]:
        """Positions of the categorical columns in a training frame."""
        return list(range(len(self.numeric), len(self.names)))


_DAYS_TO_JUDGE: Final = 7
"""Days to judge that the error message proposes for a canary without any: a whole week, because weekdays differ."""

RESERVED_COLUMNS: Final = frozenset(
    {
        "id",
        "key",
        "time",
        "event_time",
        "served_at",
        "version",
        "arm",
        "channel",
        "score",
        "label",
        "label_known_at",
        "status",
        "missing",
    }
)
"""Column names that the prediction log and the datasets use themselves; no input or feature may have one."""

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
class Model:
    """One model: what it predicts, from what, and the rules of its life cycle.

    Attributes:
        name: the name in routes and stores.
        request: the source whose records callers send as prediction requests. Its key identifies an instance. Its
            event time is the moment that the prediction is for.
        inputs: the request fields that the estimator gets.
        label: what is predicted; see :func:`label`.
        estimator: builds the unfitted pipeline from the columns.
        views: the feature views and attributes that the feature store adds; none by default.
        gate: quality checks that a version must pass before it may serve.
        release: how an accepted version is rolled out.
        monitor: what counts as a breach.
        retrain: when to retrain, and on which data.
        on_demand: functions of request fields and stored features; see :mod:`smallbox.define.on_demand`.
        fallback: the score to answer with when the model fails, marked as fallback; ``None`` answers with an error.
        columns: the model's input columns.

    Raises:
        DefinitionError: when a field is missing or must not be personal, or two features share a name.
    """

    name: str
    request: Source
    inputs: Sequence[str]
    label: Label
    estimator: Estimator
    views: Sequence[View] = ()
    gate: Gate = field(default_factory=Gate)
    release: Release = field(default_factory=Release)
    monitor: Monitor = field(default_factory=Monitor)
    retrain: Retrain = field(default_factory=Retrain)
    on_demand: Sequence[OnDemand] = ()
    fallback: float | None = None
    columns: Columns = field(init=False)

    def __post_init__(self) -> None:
        check_name("model", self.name)
        self._check_kinds()
        fields = self.request.fields
        object.__setattr__(
            self, "on_demand", dependency_order(self.on_demand, {*fields, *self.stored_numeric, *self.stored_texts})
        )
        self._check_inputs()
        self._check_personal()
        numeric = tuple(n for n in self.inputs if fields[n].is_numeric)
        categorical = tuple(n for n in self.inputs if fields[n].type == "text")
        columns = Columns(numeric + self.feature_names, categorical + self.stored_texts)
        taken = RESERVED_COLUMNS & set(columns.names)
        if taken:
            raise DefinitionError(
                f"model {self.name}: {', '.join(sorted(taken))}: the logs use that name; choose another"
            )
        shadowing = {*self.feature_names, *self.stored_texts} & set(fields)
        if shadowing:
            raise DefinitionError(
                f"model {self.name}: {', '.join(sorted(shadowing))}: a field of the request has that name; rename it"
            )
        twice = {n for n in columns.names if columns.names.count(n) > 1}
        if twice:
            raise DefinitionError(f"model {self.name}: {', '.join(sorted(twice))}: a column may be named only once")
        self._check_window()
        self._check_canary()
        object.__setattr__(self, "columns", columns)

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

    def _check_inputs(self) -> None:
        fields = self.request.fields
        for name in self._needed():
            if name not in fields:
                raise DefinitionError(
                    f"model {self.name}: {name!r} is not a field of source {self.request.name}; "
                    f"it has {', '.join(fields)}"
                )
        moments = [n for n in self.inputs if fields[n].type == "timestamp"]
        if moments:
            raise DefinitionError(
                f"model {self.name}: the input {moments[0]!r} is a timestamp, which is not a number; "
                "write an on-demand feature of it"
            )

    def _check_kinds(self) -> None:
        place = f"model {self.name}"
        check_kind(f"{place}: request", self.request, Source, "a Source, without quotes")
        check_several(f"{place}: inputs", self.inputs, str, "a tuple of field names, like ('amount',)")
        check_several(f"{place}: views", self.views, View, "a tuple of views, like (customer,)")
        check_several(f"{place}: on_demand", self.on_demand, FunctionType, "a tuple of functions, like (age,)")
        check_kind(f"{place}: label", self.label, Label, "label(source, on=..., value=..., within=...)")
        check_kind(f"{place}: estimator", self.estimator, Callable, "the function itself, without parentheses")
        for kind in (Gate, Release, Monitor, Retrain):
            name = kind.__name__
            check_kind(f"{place}: {name.lower()}", getattr(self, name.lower()), kind, f"{name}(...)")

    def _check_personal(self) -> None:
        for name in self.inputs:
            if self._is_personal_text(name):
                raise DefinitionError(
                    f"model {self.name}: the input {name!r} is a personal text, and its values would be copied to the "
                    "reference profile; leave it out, or send a coarser field that is not pii"
                )
        for name in self.on_demand_fields:
            if self._is_personal_text(name):
                raise DefinitionError(
                    f"model {self.name}: an on-demand feature reads the personal text {name!r}, which the prediction "
                    "log would hold; send what the feature needs of it as a field of its own that is not pii, like the "
                    "domain of an address"
                )
        for name in (n for view in self.views for n in view.entity_fields):
            check_not_personal(self.request, name, "entity")

    def _is_personal_text(self, name: str) -> bool:
        found = self.request.fields[name]
        return found.pii and found.type == "text"

    @cached_property
    def personal_columns(self) -> frozenset[str]:
        """The columns with personal values: personal inputs, and features computed from personal fields."""
        personal = {name for name, found in self.request.fields.items() if found.pii}
        for view in self.views:
            personal |= {name for name, feature in view.features.items() if view.source.personal & set(feature.fields)}
        personal |= {f.__name__ for f in self.on_demand if personal & set(parameters_of(f))}
        return frozenset(personal & set(self.columns.names))

    def _needed(self) -> list[str]:
        return [*self.inputs, *(n for view in self.views for n in view.entity_fields), *self.on_demand_fields]

    @cached_property
    def stored_numeric(self) -> tuple[str, ...]:
        """The numeric features that the store adds, view by view."""
        return tuple(name for view in self.views for name in view.numeric)

    @cached_property
    def stored_texts(self) -> tuple[str, ...]:
        """The text features that the store adds, view by view."""
        return tuple(name for view in self.views for name in view.texts)

    @cached_property
    def stored(self) -> tuple[str, ...]:
        """All features that the store adds, numeric ones first."""
        return (*self.stored_numeric, *self.stored_texts)

    @cached_property
    def feature_names(self) -> tuple[str, ...]:
        """The numeric features that are added to a request: stored features, then on-demand features."""
        return (*self.stored_numeric, *(function.__name__ for function in self.on_demand))

    @cached_property
    def sent_fields(self) -> tuple[str, ...]:
        """The fields of the request that the inputs are computed from: inputs, then what on-demand features read."""
        return tuple(dict.fromkeys((*self.inputs, *self.on_demand_fields)))

    @cached_property
    def on_demand_fields(self) -> tuple[str, ...]:
        """The request fields that on-demand features read."""
        read = (name for function in self.on_demand for name in parameters_of(function))
        return tuple(dict.fromkeys(name for name in read if name in self.request.fields))

    @cached_property
    def defaults(self) -> dict[str, float | str]:
        """The declared defaults for missing values of stored features, by feature name."""
        features = {name: one for view in self.views for name, one in view.features.items()}
        return {name: one.default for name, one in features.items() if one.default is not None}

    @cached_property
    def request_fields(self) -> tuple[str, ...]:
        """The fields that a request must have, each once: key, inputs, entity fields, inputs of on-demand features."""
        return tuple(dict.fromkeys([self.request.key, *self._needed()]))

    def key_of(self, instance: Mapping[str, Any]) -> str:
        """The key of an instance."""
        return str(instance[self.request.key])
