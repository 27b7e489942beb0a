"""What an answer says of itself when the request asks: its way from the request to the score, and its edge cases."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from smallbox.define.signature import Signature
from smallbox.errors import NotFound, NotReady, NotStored, Unavailable
from smallbox.explanations.edge_cases import Familiar
from smallbox.explanations.explainer import Contributions
from smallbox.registry.loader import ModelLoader
from smallbox.request_sizes import check_explained_count
from smallbox.serving.logged_answers import Answered, nulls
from smallbox.serving.requests import instance_count
from smallbox.times import format_moment

PERSONAL: Final = "personal"
"""Under this name the contributions of all personal features are added up, and their flags."""

_CANNOT_EXPLAIN: Final = (NotFound, NotReady, NotStored, Unavailable)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a request asks for beside the predictions.

    Attributes:
        explanation: the way to each score; asks for the flags too.
        flags: which answers are edge cases.
    """

    explanation: bool
    flags: bool

    @classmethod
    def by(cls, document: Any) -> "Wanted":
        """What a body asks for.

        Raises:
            TooLarge: when more instances are to be explained than can be.
        """
        asked = document if isinstance(document, Mapping) else {}
        explanation = asked.get("explain") is True
        if explanation:
            check_explained_count(instance_count(document))
        return cls(explanation, explanation or asked.get("flags") is True)


def add_details(
    answers: Sequence[dict[str, Any]],
    loader: ModelLoader,
    answered: Answered,
    instances: Sequence[Mapping[str, Any]],
    wanted: Wanted,
) -> None:
    """Add what is asked for to the answers of one version, in place.

    Never an error: the prediction was made, and an answer without an explanation says why it has none.

    Args:
        answers: the answers as the caller sees them.
        loader: has the version's explainer.
        answered: the same answers.
        instances: the validated instances.
        wanted: what is asked for.
    """
    if not wanted.flags:
        return
    try:
        more = list(_found(loader, answered, instances, wanted))
    except _CANNOT_EXPLAIN as error:
        why = {"explanation": {"unavailable": error.message}} if wanted.explanation else {}
        more = [{"flags": None, **why} for _ in instances]
    for answer, own in zip(answers, more, strict=True):
        answer.update(own)


def _found(
    loader: ModelLoader, answered: Answered, instances: Sequence[Mapping[str, Any]], wanted: Wanted
) -> Iterator[dict[str, Any]]:
    if not answered.version:
        raise NotReady("no model answered, but the fallback")
    name = answered.signature.name
    explainer, inputs = loader.explainer(name, answered.version), answered.vectors.inputs
    flags = _flags(answered, explainer.familiar)
    if not wanted.explanation:
        yield from ({"flags": one} for one in flags)
        return
    score = loader.version(name, answered.version).scorer.score
    found = explainer.contributions(inputs.numeric, inputs.categorical, score)
    for row, (own, instance) in enumerate(zip(flags, instances, strict=True)):
        yield {"flags": own, "explanation": _explanation(answered, found, instance, row)}


def _flags(answered: Answered, familiar: Familiar) -> Iterator[dict[str, Any]]:
    inputs, columns = answered.vectors.inputs, answered.signature.columns
    outside, unseen = familiar.out_of_range(inputs.numeric), familiar.unseen(inputs.categorical)
    for row, is_far in enumerate(familiar.is_far(inputs.numeric).tolist()):
        yield {
            "out_of_range": _shown(answered.signature, columns.numeric, outside[row]),
            "unseen_category": _shown(answered.signature, columns.categorical, unseen[row]),
            "far_from_training": is_far,
        }


def _shown(signature: Signature, names: Sequence[str], is_flagged: Any) -> list[str]:
    flagged = (name for name, is_one in zip(names, is_flagged, strict=True) if is_one)
    return list(dict.fromkeys(PERSONAL if name in signature.personal_columns else name for name in flagged))


def _explanation(answered: Answered, found: Contributions, instance: Mapping[str, Any], row: int) -> dict[str, Any]:
    """The way of one answer: request, state, contributions, score."""
    outputs = answered.signature.objective.outputs
    return {
        "request": _sent(answered.signature, instance),
        "state": _state(answered, row),
        "method": found.method,
        "exact": found.is_exact,
        "scale": found.scale,
        "background": found.background,
        "base": dict(zip(outputs, nulls(found.base[row]), strict=True)),
        "contributions": _contributions(answered, found, row),
        "total": dict(zip(outputs, nulls(found.totals[row]), strict=True)),
    }


def _sent(signature: Signature, instance: Mapping[str, Any]) -> dict[str, Any]:
    """The sent fields that inputs are computed from, but for personal ones."""
    fields = signature.request.fields
    sent = {name: instance.get(name) for name in signature.sent_fields if not fields[name].pii}
    return {
        name: format_moment(value) if value is not None and fields[name].type == "timestamp" else value
        for name, value in sent.items()
    }


def _state(answered: Answered, row: int) -> dict[str, Any]:
    """By view the entity that its state was read of, and the features of that state, but for personal ones."""
    values = _inputs(answered, row)
    return {
        view.name: {
            "entity": answered.vectors.entities[view.name][row],
            "features": {name: values[name] for name in (*view.numeric, *view.texts) if name in values},
        }
        for view in answered.signature.views
    }


def _inputs(answered: Answered, row: int) -> dict[str, Any]:
    """The inputs of one answer that are not personal."""
    inputs, signature = answered.vectors.inputs, answered.signature
    values = (*nulls(inputs.numeric[row]), *inputs.categorical[row].tolist())
    named = zip(signature.columns.names, values, strict=True)
    return {name: value for name, value in named if name not in signature.personal_columns}


def _contributions(answered: Answered, found: Contributions, row: int) -> list[dict[str, Any]]:
    """The features with their contributions to each output, the largest first; personal ones are one entry."""
    signature, values = answered.signature, found.values[row]
    shown = _inputs(answered, row)
    parts = {name: values[at] for at, name in enumerate(signature.columns.names) if name in shown}
    hidden = [values[at] for at, name in enumerate(signature.columns.names) if name not in shown]
    if hidden:
        parts[PERSONAL] = np.sum(hidden, axis=0)
    return [
        {
            "feature": name,
            "value": shown.get(name),
            "contribution": dict(zip(signature.objective.outputs, nulls(parts[name]), strict=True)),
        }
        for name in sorted(parts, key=lambda name: -float(np.nan_to_num(np.abs(parts[name])).max()))
    ]
