"""Ordered lists: the candidates of one group, ranked by one version or interleaved from two, and logged as shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from smallbox.errors import InvalidInput, MalformedBody
from smallbox.messages.encoded import EncodedMessage
from smallbox.messages.predictions import LoggedPredictions
from smallbox.registry.routing import RunningExperiment
from smallbox.request_sizes import INSTANCE_LIMIT
from smallbox.serving.answering import Part
from smallbox.serving.logged_answers import logged
from smallbox.serving.ordered_list import Listed, interleaved_list, ranked_list
from smallbox.serving.predict import PredictTask, answers_of
from smallbox.serving.predict_request import PredictRequest
from smallbox.table_columns import RANKED_COLUMNS
from smallbox.times import Micros, Moment


@dataclass(frozen=True, slots=True)
class Page:
    """Which positions of the list are asked for.

    Attributes:
        offset: how many positions are left out.
        limit: how many positions are answered at most.
    """

    offset: int
    limit: int

    @property
    def end(self) -> int:
        """The last position."""
        return self.offset + self.limit

    @classmethod
    def of(cls, document: Any) -> "Page":
        """The page that a body asks for: all positions by default.

        Raises:
            MalformedBody: when ``offset`` or ``limit`` is no such number.
        """
        return cls(_whole(document, "offset", 0, 0), _whole(document, "limit", 1, INSTANCE_LIMIT))


class RankTask:
    """Answers ``POST /models/{model}/rank``.

    Args:
        predictor: finds the versions' answers and sends their log.
    """

    def __init__(self, predictor: PredictTask) -> None:
        self._predictor = predictor

    def rank(
        self, name: str, document: Any, moment: Moment, now: Micros, batch: str, *, fresh: bool = False
    ) -> Mapping[str, Any]:
        """Put the candidates of one group in order, best first.

        During an interleaving two versions score all candidates, and each row is answered by the version that put it
        into the list. Where one of the two cannot answer, and the definition lets another version answer then, the
        other ranks alone, and the list does not count for the experiment. Only the rows that are answered are logged:
        no other row can be clicked.

        Args:
            name: the model.
            document: the body, ``{"instances": [...], "offset": 0, "limit": 10}``.
            moment: the moment of the features.
            now: the present.
            batch: the request's id. The same batch gives the same prediction ids.
            fresh: whether nothing that is remembered may be used.

        Raises:
            NotFound: no such model.
            InvalidInput: the model does not rank, the candidates are not of one group, or one is wrong.
            NotReady: no version serves, and the model has no fallback.
        """
        request = replace(self._predictor.request_of(name, document, moment, now, fresh=fresh), is_ranked=True)
        page, group = Page.of(document), _group_of(request)
        parts = _used([*self._predictor.answering.parts(request)])
        listed = _listed(request, parts, group, page.end)[page.offset : page.end]
        logs = [logged(part.request.asked(batch, part.as_of), part.answered) for part in parts]
        messages = [message for at, log in enumerate(logs) for message in _messages(parts[at], log, listed, at)]
        left = self._predictor.answering.left(request)
        is_logged = self._predictor.log.send(request.model, messages, now, left)
        answers = [answers_of(part.answered, log, explain=False) for part, log in zip(parts, logs, strict=True)]
        ranking = [{**answers[one.part][one.row], "position": one.position} for one in listed]
        said = {"model": name, "candidates": len(request.rows), "ranking": ranking}
        return said if is_logged else {**said, "logged": False}


def _whole(document: Any, name: str, least: int, usual: int) -> int:
    value = document.get(name, usual)
    if type(value) is not int or value < least:
        raise MalformedBody(f"{name} is {value!r}; write a whole number, {least} or more")
    return min(value, INSTANCE_LIMIT)


def _group_of(request: PredictRequest) -> str:
    """The group that all candidates belong to."""
    model = request.model
    field = model.objective.group
    if not field:
        raise InvalidInput(
            f"model {model.name} does not rank: its label has no Ranking objective; ask /models/{model.name}/predict",
            model=model.name,
        )
    groups = {instance.get(field) for instance in request.instances}
    if len(groups) > 1 or None in groups:
        raise InvalidInput(f"the candidates of a ranking are of one group: send the same {field} in each", field=field)
    return str(groups.pop())


def _used(parts: Sequence[Part]) -> Sequence[Part]:
    """The answers that make the list: of an interleaving both, or the one whose version could answer."""
    able = [part for part in parts if part.answered.arm != "fallback"]
    return parts if len(able) == len(parts) else [*able, *parts][:1]


def _listed(request: PredictRequest, parts: Sequence[Part], group: str, positions: int) -> list[Listed]:
    """The list, up to a position."""
    model, scores = request.model, [part.answered.outputs[:, 0].tolist() for part in parts]
    shown, experiment = min(positions, len(request.rows)), parts[0].experiment
    if len(parts) == 1 or experiment is None:
        keys = [model.key_of(instance) for instance in request.instances]
        exploration = None if parts[0].answered.arm == "fallback" else model.exploration
        return ranked_list(scores[0], keys, exploration, f"{model.name} {group}")[:shown]
    unit = _unit_of(request, experiment)
    found = interleaved_list((scores[0], scores[1]), experiment, group, shown)
    return [replace(one, logged={**one.logged, "assigned_unit": unit}) for one in found]


def _unit_of(request: PredictRequest, experiment: RunningExperiment) -> str | None:
    """The unit of the group, for the log; ``None`` where it is personal."""
    model, field = request.model, request.model.request.fields.get(experiment.unit)
    if field is not None and field.pii:
        return None
    return model.assigned_by(request.instances[:1], experiment.unit)[0]


def _messages(part: Part, log: LoggedPredictions, listed: Sequence[Listed], at: int) -> list[EncodedMessage]:
    """The log of the rows that one version put into the list."""
    own = [one for one in listed if one.part == at]
    if not own:
        return []
    columns = {name: [values[one.row] for one in own] for name, values in log.columns.items()}
    if not part.answered.signature.objective.group:  # a version from before the label was a ranking has no such columns
        return replace(log, columns=columns).messages()
    beside = [{"list_position": one.position, **one.logged} for one in own]
    columns |= {name: [row.get(name) for row in beside] for name in RANKED_COLUMNS}
    return replace(log, columns=columns, types={**log.types, **RANKED_COLUMNS}).messages()
