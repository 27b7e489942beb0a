"""The signature of a model: what its answers are computed from, and what it predicts."""

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from functools import cached_property
from types import FunctionType
from typing import Any

from smallbox.define.argument_types import check_kind, check_several
from smallbox.define.attributes import View
from smallbox.define.on_demand import OnDemand, dependency_order, parameters_of
from smallbox.define.rules import Label
from smallbox.define.source import Source, check_name, check_not_personal
from smallbox.errors import DefinitionError
from smallbox.objectives.objective import Objective
from smallbox.table_columns import is_output, reserved_because, reserved_in_rankings


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


@dataclass(frozen=True, eq=False)
class Signature:
    """What a model's answers are computed from, and what they predict: all that a version keeps of its definition.

    A version is served, audited and compared by the signature that it was trained with, whatever the definition says
    today; see :mod:`smallbox.define.frozen`.

    Attributes:
        name: the name in routes and stores.
        request: the source whose records callers send as prediction requests. Its key identifies an instance. Its
            event time is the moment that the prediction is for.
        inputs: the request fields that the estimator gets.
        label: what is predicted; see :func:`~smallbox.define.model.label`.
        views: the feature views and attributes that the feature store adds; none by default.
        on_demand: functions of request fields and stored features; see :mod:`smallbox.define.on_demand`.
        columns: the model's input columns.

    Raises:
        DefinitionError: when a field is missing or must not be personal, or two features share a name.
    """

    name: str
    _: KW_ONLY
    request: Source
    inputs: Sequence[str]
    label: Label
    views: Sequence[View] = ()
    on_demand: Sequence[OnDemand] = ()
    columns: Columns = field(init=False)

    def __post_init__(self) -> None:
        check_name("model", self.name)
        self._check_kinds()
        fields = self.request.fields
        object.__setattr__(
            self, "on_demand", dependency_order(self.on_demand, {*fields, *self.stored_numeric, *self.stored_texts})
        )
        self._check_inputs()
        self._check_group()
        self._check_personal()
        numeric = tuple(n for n in self.inputs if fields[n].is_numeric)
        categorical = tuple(n for n in self.inputs if fields[n].type == "text")
        columns = Columns(numeric + self.feature_names, categorical + self.stored_texts)
        self._check_names(columns)
        self._check_outputs()
        object.__setattr__(self, "columns", columns)

    def _check_names(self, columns: Columns) -> None:
        for name in columns.names:
            why = reserved_because(name) or (reserved_in_rankings(name) if self.objective.group else None)
            if why:
                raise DefinitionError(
                    f"model {self.name}: {name}: no input or feature may have that name, because {why}; choose another"
                )
        shadowing = {*self.feature_names, *self.stored_texts} & set(self.request.fields)
        if shadowing:
            raise DefinitionError(
                f"model {self.name}: {', '.join(sorted(shadowing))}: a field of the request has that name; rename it"
            )
        twice = {n for n in columns.names if columns.names.count(n) > 1}
        if twice:
            raise DefinitionError(f"model {self.name}: {', '.join(sorted(twice))}: a column may be named only once")

    def _check_outputs(self) -> None:
        outputs = self.objective.outputs
        wrong = [name for name in outputs if not is_output(name)]
        if wrong or len({*outputs}) < len(outputs):
            raise DefinitionError(
                f"model {self.name}: the objective's outputs {', '.join(outputs)} must differ, and be score or begin "
                "with score_: the log, the labelled predictions and scored files know them by that"
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

    def _check_group(self) -> None:
        name = self.objective.group
        found = self.request.fields.get(name)
        if name and (found is None or found.type != "text" or found.nullable or found.pii):
            raise DefinitionError(
                f"model {self.name}: the group {name!r} must be a text field of source {self.request.name} that is "
                "neither nullable nor personal"
            )

    def _check_kinds(self) -> None:
        place = f"model {self.name}"
        check_kind(f"{place}: request", self.request, Source, "a Source, without quotes")
        check_several(f"{place}: inputs", self.inputs, str, "a tuple of field names, like ('amount',)")
        check_several(f"{place}: views", self.views, View, "a tuple of views, like (customer,)")
        check_several(f"{place}: on_demand", self.on_demand, FunctionType, "a tuple of functions, like (age,)")
        check_kind(f"{place}: label", self.label, Label, "label(source, on=..., value=..., within=...)")

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

    @property
    def shown_columns(self) -> Columns:
        """The columns without personal values: what reports and messages may quote."""
        hidden = self.personal_columns
        numeric, categorical = (
            tuple(name for name in names if name not in hidden)
            for names in (self.columns.numeric, self.columns.categorical)
        )
        return Columns(numeric, categorical)

    def _needed(self) -> list[str]:
        entities = (name for view in self.views for name in view.entity_fields)
        return [*self.inputs, *entities, *self.on_demand_fields, *filter(None, (self.objective.group,))]

    @property
    def objective(self) -> Objective:
        """What the label means: how it is predicted, and how predictions are judged."""
        return self.label.objective

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
        """The fields that a request must have, each once: key, inputs, entity and group fields, what features read."""
        return tuple(dict.fromkeys([self.request.key, *self._needed()]))

    def key_of(self, instance: Mapping[str, Any]) -> str:
        """The key of an instance."""
        return str(instance[self.request.key])

    def assigned_by(self, instances: Sequence[Mapping[str, Any]], unit: str = "") -> list[str]:
        """The units that decide which version answers: one for each instance.

        Without ``unit`` that is the group, which one version must rank; else the key. With ``unit`` it is the value of
        that request field, and all instances of a group have that of its first. An instance that lacks its unit or its
        group is refused later; until then it is assigned by its key.
        """
        units: dict[str, str] = {}
        found = []
        for instance in instances:
            group = instance.get(self.objective.group)
            own = group if not unit else instance.get(unit)
            assigned = self.key_of(instance) if own is None else str(own)
            found.append(assigned if group is None else units.setdefault(str(group), assigned))
        return found
