"""A model definition: its signature, its estimator and its rules."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Final, Literal

from smallbox.define.argument_types import check_kind
from smallbox.define.exploration import Exploration
from smallbox.define.fields import Field
from smallbox.define.interleavings import Interleaving
from smallbox.define.release_rules import Release
from smallbox.define.rules import Gate, Label, Monitor, Retrain
from smallbox.define.serve import Serve
from smallbox.define.signature import Signature
from smallbox.define.source import Source, check_not_personal
from smallbox.errors import DefinitionError
from smallbox.objectives.declared import number_of
from smallbox.objectives.defaults import default_objective
from smallbox.objectives.objective import LabelField, Objective, OutputValues
from smallbox.times import DAY

_DAYS_TO_JUDGE: Final = 7
"""Days to judge that the error message proposes for a shadow without any: a whole week, because weekdays differ."""

Estimator = Callable[..., Any]
"""Builds an unfitted scikit-learn pipeline from the columns. Import scikit-learn inside the function."""


def label(
    source: Source,
    *,
    on: str,
    value: str,
    within: str,
    otherwise: bool | float | str | None = None,
    prediction: str | None = None,
    objective: Objective | None = None,
) -> Label:
    """The label: ``value`` of the record of ``source`` whose ``on`` equals the request's key.

    Args:
        source: the source of the ground truth.
        on: its field that holds the request's key.
        value: its field that holds the outcome.
        within: attribution window: how long after the request's event time an outcome still counts, like ``"7d"``.
        otherwise: the label of a request without an outcome once the attribution window is over. Write
            ``otherwise=False`` where only positive outcomes are reported, or a class of its own where silence is an
            outcome, like ``otherwise="cancelled"``. By default such a request has no label.
        prediction: its field with the ``prediction_id`` of the answer; by default predictions are matched by key.
        objective: what the label means. By default :class:`~smallbox.objectives.binary.Binary` for a boolean,
            :class:`~smallbox.objectives.multiclass.Multiclass` for a text with choices and
            :class:`~smallbox.objectives.regression.Regression` for a number.

    Raises:
        DefinitionError: when a field is missing, has a type that no objective takes, or is personal.
    """
    check_kind("label: source", source, Source, "the Source whose records bring the outcome")
    key = _field_of(source, on)
    if key.type != "text":
        raise DefinitionError(f"label: {on!r} must be a text field of source {source.name}; it is a {key.type}")
    _check_prediction(source, on, prediction)
    completed = _completed(source, value, objective, otherwise=otherwise)
    return Label(source.name, on, value, within, otherwise, prediction, objective=completed)


def _completed(
    source: Source, value: str, objective: Objective | None, *, otherwise: bool | float | str | None
) -> Objective:
    outcome = _field_of(source, value)
    declared = default_objective(outcome.type) if objective is None else objective
    if declared is None:
        raise DefinitionError(
            f"label: {value!r} is a {outcome.type} field of source {source.name}; a label is a boolean, a text with "
            "choices, or a number"
        )
    check_kind("label: objective", declared, Objective, "an objective, like Regression('absolute')")
    place = f"label: {value!r} of source {source.name}"
    return declared.for_label(LabelField(place, outcome.type, outcome.choices, otherwise))


def _check_prediction(source: Source, on: str, name: str | None) -> None:
    if name is None:
        return
    found = _field_of(source, name)
    if found.type != "text":
        raise DefinitionError(
            f"label: prediction={name!r} must be a text field of source {source.name}; it is a {found.type}"
        )
    if name == on:
        raise DefinitionError(
            f"label: prediction={name!r} is the field on={on!r}; on= holds the request's key, prediction= the id that "
            "an answer has as prediction_id"
        )


def _field_of(source: Source, name: str) -> Field:
    found = source.fields.get(name)
    if found is None:
        fields = ", ".join(source.fields)
        raise DefinitionError(f"label: {name!r} is not a field of source {source.name}; it has {fields}")
    check_not_personal(source, name, "label's field")
    return found


@dataclass(frozen=True, eq=False)
class Model(Signature):
    """One model: what it predicts, from what, and the rules of its life cycle.

    Attributes:
        estimator: builds the unfitted pipeline from the columns; where the objective has quantiles, from the columns
            and ``quantile``.
        gate: quality checks that a version must pass before it may serve.
        release: how an accepted version is rolled out.
        monitor: what counts as a breach.
        retrain: when to retrain, and on which data.
        serve: how fast it must answer, what may be remembered, and how it degrades.
        exploration: which share of its ordered lists is shuffled, so that later versions can be judged on what was
            shown; ``None`` shuffles none. Only a ranking may declare it.
        fallback: the prediction to answer with when the model fails, marked as fallback: a number, or where there are
            several outputs numbers by class or output; ``None`` answers with an error.
        score_daily: which records of the request source are scored every night, as a file out of the lake: those of
            ``yesterday``, or those of ``today``, for a source whose records are known ahead; days are UTC. ``None``:
            none are.
        explain_baseline: by column the values of a row that explanations compare with; a column that is left out has
            the training rows' median, or their most frequent text. ``None``: trees compare with the average of the
            training rows, other models with a row of medians and most frequent texts.

    The other attributes are those of :class:`~smallbox.define.signature.Signature`.

    Raises:
        DefinitionError: as the signature; when no row is left to train on, or a shadow would see no label.
    """

    _: KW_ONLY
    estimator: Estimator
    gate: Gate = field(default_factory=Gate)
    release: Release = field(default_factory=Release)
    monitor: Monitor = field(default_factory=Monitor)
    retrain: Retrain = field(default_factory=Retrain)
    serve: Serve = field(default_factory=Serve)
    exploration: Exploration | None = None
    fallback: float | Mapping[str, float] | None = field(default=None)
    score_daily: Literal["yesterday", "today"] | None = None
    explain_baseline: Mapping[str, float | str | None] | None = field(default=None)
    fallback_outputs: OutputValues | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_rules()
        self._check_heads()
        self._check_guardrails()
        self._check_limits()
        self._check_loop()
        self._check_slices()
        self._check_daily()
        self._check_window()
        self._check_release()
        self._check_baseline()
        self._check_exploration()
        self._check_interleaving()
        if self.fallback is not None:
            outputs = self.objective.fallback_outputs(self.fallback, f"model {self.name}: fallback")
            object.__setattr__(self, "fallback_outputs", outputs)

    def _check_heads(self) -> None:
        needed = {name for head in self.objective.heads for name in head}
        missing = sorted(needed - set(inspect.signature(self.estimator).parameters))
        if missing:
            raise DefinitionError(
                f"model {self.name}: the label's objective needs an estimator with the parameter {missing[0]}; write "
                f"def {self.estimator.__name__}(columns, {missing[0]}=None)"
            )

    def _check_guardrails(self) -> None:
        for rule in (self.gate, self.monitor):
            for one in rule.guardrails:
                if one.figure not in self.objective.figures:
                    raise DefinitionError(
                        f"model {self.name}: {type(rule).__name__}: {one.side}({one.figure!r}, ...): the label's "
                        f"objective has no such figure; it has {', '.join(self.objective.figures)}"
                    )

    def _check_limits(self) -> None:
        for name in self.serve.limits:
            if name not in self.objective.outputs:
                raise DefinitionError(
                    f"model {self.name}: Serve: limits: the label's objective has no output {name!r}; it has "
                    f"{', '.join(self.objective.outputs)}"
                )

    def _check_loop(self) -> None:
        loop, place = self.monitor.loop, f"model {self.name}: Loop"
        if loop is None:
            return
        for name, kind in ((loop.item, "text"), (loop.explored, "boolean")):
            if name not in self.inputs or self.request.fields[name].type != kind:
                raise DefinitionError(f"{place}: {name!r} must be a {kind} field among the inputs")
        if self.objective.label_column == "label_text":
            raise DefinitionError(f"{place}: the label is a text; what a row earns is a number or a boolean")
        if loop.shown is not None and not self.objective.group:
            raise DefinitionError(f"{place}: shown={loop.shown} needs a ranking; leave it out: all rows are shown")

    def _check_slices(self) -> None:
        for name in self.monitor.slices:
            if name not in self.columns.categorical or name in self.personal_columns:
                raise DefinitionError(
                    f"model {self.name}: Monitor: slices: {name!r} must be a text among the model's inputs and "
                    "features, and not personal"
                )

    def _check_rules(self) -> None:
        place = f"model {self.name}"
        check_kind(f"{place}: estimator", self.estimator, Callable, "the function itself, without parentheses")
        for kind in (Gate, Release, Monitor, Retrain, Serve):
            name = kind.__name__
            check_kind(f"{place}: {name.lower()}", getattr(self, name.lower()), kind, f"{name}(...)")

    def _check_daily(self) -> None:
        if self.score_daily not in {None, "yesterday", "today"}:
            raise DefinitionError(
                f"model {self.name}: score_daily={self.score_daily!r} must be 'yesterday' or 'today'; leave it out to "
                "score no day"
            )

    def _check_window(self) -> None:
        # the last attribution window has no labels yet, and another one is the embargo before the validation period
        if 2 * self.label.within_micros + self.retrain.validation_micros >= self.retrain.window_micros:
            raise DefinitionError(
                f"model {self.name}: retrain window={self.retrain.window!r} leaves no rows to train on; it must be "
                f"longer than twice the label's within={self.label.within!r} and validation="
                f"{self.retrain.validation!r} together"
            )

    def _check_baseline(self) -> None:
        if self.explain_baseline is None:
            return
        check_kind(f"model {self.name}: explain_baseline", self.explain_baseline, Mapping, "values by column")
        for name, value in self.explain_baseline.items():
            place = f"model {self.name}: explain_baseline: {name}"
            if name not in self.columns.names:
                raise DefinitionError(f"{place} is no column; the columns are {', '.join(self.columns.names)}")
            if name in self.columns.numeric and value is not None:
                number_of(value, place)
            elif name in self.columns.categorical and value is not None and not isinstance(value, str):
                raise DefinitionError(f"{place} is {value!r}; write a text, in quotes, or None")

    def _check_exploration(self) -> None:
        if self.exploration is None:
            return
        place = f"model {self.name}: exploration"
        check_kind(place, self.exploration, Exploration, "Exploration(share=0.05), or leave it out")
        if not self.objective.group:
            raise DefinitionError(
                f"{place}: only a ranking explores: its answer, an order, is what the caller shows. A score is no "
                "action, so a random one would teach nothing of what to do; leave exploration out"
            )

    def _check_interleaving(self) -> None:
        if isinstance(self.release.experiment, Interleaving) and not self.objective.group:
            raise DefinitionError(
                f"model {self.name}: Release: experiment=Interleaving(...) is of a ranking: only ordered lists can be "
                "interleaved; declare an Experiment(outcome(...)), or leave it out"
            )

    def _check_release(self) -> None:
        shadow, canary = self.release.shadow, self.release.canary
        within = -(-self.label.within_micros // DAY)
        if shadow is not None and shadow.max_days <= within:
            raise DefinitionError(
                f"model {self.name}: a shadow of at most {shadow.max_days} days sees no label that is certain after "
                f"within={self.label.within!r}; write Shadow(max_days={within + _DAYS_TO_JUDGE}) or more"
            )
        unit = None if canary is None else canary.unit
        logged = [self.request.key, *self.sent_fields, *filter(None, (self.objective.group,))]
        if unit is not None and unit not in logged:
            raise DefinitionError(
                f"model {self.name}: Canary: unit={unit!r} is no field of the request that the log keeps; those are "
                f"{', '.join(dict.fromkeys(logged))}; make it an input, or a parameter of an on-demand feature"
            )
