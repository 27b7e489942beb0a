"""What a person asks of an experiment: from the document of the command to a checked definition."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, Final

from smallbox.define.experiments import Better, Experiment, GuardrailOutcome, JoinedBy, Outcome, outcome
from smallbox.define.interleavings import Interleaving
from smallbox.define.model import Model
from smallbox.define.project import Project
from smallbox.errors import InvalidInput

EXPERIMENT_ACTIONS: Final = ("plan", "start", "show", "stop")
"""What the command line asks for."""

_GUARDRAIL: Final = "SOURCE.FIELD[,lower][,WORST], like refunds.amount,lower,0.05"
_SETTINGS: Final = ("unit", "covariate", "min_days", "max_days", "confidence", "smallest_effect")

_OF_OUTCOME: Final = ("guardrails", "within", "better", "only_measured", "on_unit", "on_key")
"""What describes the outcome that is named; a declared experiment has its own."""


def kind_asked(model: Model, document: Mapping[str, Any]) -> str:
    """The kind of experiment that is asked for: the named one; an outcome is of an A/B test; else the declared one."""
    is_declared = not document.get("outcome") and isinstance(model.release.experiment, Interleaving)
    return str(document.get("kind") or ("interleaving" if is_declared else "ab"))


def asked_interleaving(model: Model, document: Mapping[str, Any]) -> Interleaving:
    """The declared interleaving, or else the usual one, with the command's settings.

    Raises:
        DefinitionError: a setting out of its range.
    """
    settings = {one.name: document[one.name] for one in fields(Interleaving) if document.get(one.name) is not None}
    declared = model.release.experiment
    return replace(declared if isinstance(declared, Interleaving) else Interleaving(), **settings)


def asked_weights(document: Mapping[str, Any]) -> tuple[tuple[int, float], ...]:
    """The versions and their shares of the units; equal shares where none are named.

    Raises:
        InvalidInput: fewer than two versions, one named twice, or shares that are not positive or exceed 1 together.
    """
    versions = [int(one) for one in document.get("versions") or ()]
    weights = [float(one) for one in document.get("weights") or [1 / max(len(versions), 1)] * len(versions)]
    if len(versions) < 2 or len({*versions}) < len(versions):  # noqa: PLR2004 - an effect is a difference
        raise InvalidInput("name at least two versions, each once, like --versions 3,5: the first is compared with")
    if len(weights) != len(versions) or min(weights) <= 0 or sum(weights) > 1 + 1e-9:
        raise InvalidInput("give each version a share above 0, together at most 1, like --weights .5,.5")
    return tuple(zip(versions, weights, strict=True))


def asked_experiment(project: Project, model: Model, document: Mapping[str, Any]) -> Experiment:
    """The experiment that is asked for: of the command's outcome, or else the declared one with the command's settings.

    Raises:
        InvalidInput: no outcome is named, and none declared; options of an outcome without one; or it does not say what
            its records are joined by.
        NotFound: no such source.
        DefinitionError: a field that is missing or has another type, or a setting out of its range.
    """
    settings = {name: document[name] for name in _SETTINGS if document.get(name) is not None}
    declared = model.release.experiment
    if document.get("outcome"):
        unit = settings.get("unit")
        guardrails = tuple(_guardrail(project, model, unit, document, text) for text in document.get("guardrails", ()))
        return Experiment(_outcome(project, model, unit, document, document["outcome"]), guardrails, **settings)
    unused = [name for name in _OF_OUTCOME if document.get(name)]
    if unused:
        options = ", ".join(f"--{name.removesuffix('s').replace('_', '-')}" for name in unused)
        raise InvalidInput(f"{options} describes a named outcome: add --outcome SOURCE.FIELD, or leave it out")
    if not isinstance(declared, Experiment):
        raise InvalidInput(
            f"name what is measured with --outcome SOURCE.FIELD, or declare Release(experiment=Experiment(...)) of "
            f"{model.name}"
        )
    return replace(declared, **settings)


def _outcome(
    project: Project, model: Model, unit: str | None, document: Mapping[str, Any], name: str, better: Better = "higher"
) -> Outcome:
    source_name, _, field = name.partition(".")
    source = project.source(source_name)
    on, by = _joined_by(model, unit, source.fields, document, source_name)
    return outcome(
        source,
        value=field,
        on=on,
        by=by,
        within=document.get("within") or "7d",
        better=document.get("better", better) if name == document.get("outcome") else better,
        otherwise=None if document.get("only_measured") else 0.0,
    )


def _joined_by(
    model: Model, unit: str | None, fields: Mapping[str, Any], document: Mapping[str, Any], source: str
) -> tuple[str, JoinedBy]:
    """The field of the source that is joined, and whether it holds the unit or the request's key."""
    key, label = model.request.key, model.label
    choices: list[tuple[str | None, JoinedBy]] = [
        (document.get("on_unit"), "unit"),
        (document.get("on_key"), "key"),
        (unit, "unit"),
        (model.objective.group or None if unit is None else None, "unit"),
        (key, "key"),
        (label.on if label.source_name == source else None, "key"),
    ]
    found = next(((name, by) for name, by in choices if name is not None and name in fields), None)
    if found is None:
        raise InvalidInput(
            f"source {source} has neither a field of the unit nor of the key {key!r}; name the one to join by with "
            "--on-unit or --on-key"
        )
    return found


def _guardrail(
    project: Project, model: Model, unit: str | None, document: Mapping[str, Any], text: str
) -> GuardrailOutcome:
    name, *rest = text.split(",")
    is_lower = rest[:1] == ["lower"]
    numbers: Sequence[str] = rest[1:] if is_lower else rest
    try:
        worst = float(numbers[0]) if numbers else 0.02
    except ValueError as error:
        raise InvalidInput(f"the guardrail {text!r} is not {_GUARDRAIL}") from error
    found = _outcome(project, model, unit, document, name, "lower" if is_lower else "higher")
    return GuardrailOutcome(found, worst)
