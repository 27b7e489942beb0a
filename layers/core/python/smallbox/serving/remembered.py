"""What a process remembers between requests: routings, and answers of requests that come again."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from smallbox.define.model import Model
from smallbox.errors import SmallboxError, Unavailable
from smallbox.registry.loader import ModelLoader
from smallbox.registry.routing import Routing
from smallbox.serving.logged_answers import Answered
from smallbox.serving.predict_request import PredictRequest
from smallbox.times import Micros

ANSWERS_KEPT: Final = 4_096
"""How many answers a process remembers; the oldest is forgotten first."""


@dataclass(frozen=True, slots=True)
class FoundRouting:
    """A routing, and the error for which an earlier one is used; ``None`` when it was read in time."""

    routing: Routing
    why: SmallboxError | None = None


class RoutingCache:
    """Remembers the routing of each model for as long as its definition allows.

    Attributes:
        asked: how many routings were asked for.
        remembered: how many of them were remembered.
    """

    def __init__(self, loader: ModelLoader) -> None:
        self._loader = loader
        self._kept: dict[str, tuple[Micros, Routing]] = {}
        self.asked = self.remembered = 0

    def of(self, request: PredictRequest, within: Micros | None) -> FoundRouting:
        """The routing of the request's model.

        Raises:
            NotReady: when the model has no champion.
            Unavailable: when it cannot be read in time, and no earlier one may be used.
        """
        model, now = request.model, request.now
        self.asked += 1
        kept = self._kept.get(model.name)
        if kept and request.may_remember and kept[0] <= now < kept[0] + model.serve.routing_for_micros:
            self.remembered += 1
            return FoundRouting(kept[1])
        return self._read(model, now, within)

    def _read(self, model: Model, now: Micros, within: Micros | None) -> FoundRouting:
        try:
            routing = self._loader.routing(model.name, within)
        except Unavailable as error:
            if not model.serve.last_good or model.name not in self._kept:
                raise
            return FoundRouting(self._kept[model.name][1], error)
        self._kept[model.name] = now, routing
        return FoundRouting(routing)


class AnswerCache:
    """Remembers the answers to requests of one instance, by version and instance.

    Attributes:
        asked: how many answers were asked for.
        remembered: how many of them were remembered.
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[str, int, str], tuple[Micros, Answered]] = {}  # in the order in which they were given
        self.asked = self.remembered = 0

    def find(self, request: PredictRequest, version: int) -> tuple[Micros, Answered] | None:
        """An answer that is fresh enough, with the moment of its inputs; ``None`` when there is none."""
        if not _is_kept(request):
            return None
        self.asked += 1
        found = self._kept.get(_key(request, version))
        if found is None or not found[0] <= request.now < found[0] + request.model.serve.answers_for_micros:
            return None
        self.remembered += 1
        return found

    def keep(self, request: PredictRequest, answered: Answered) -> None:
        """Remember an answer, unless it was not given as usual."""
        if not _is_kept(request) or any(answered.degraded):
            return
        key = _key(request, answered.version)
        self._kept.pop(key, None)
        self._kept[key] = request.moment.at, answered
        if len(self._kept) > ANSWERS_KEPT:
            del self._kept[next(iter(self._kept))]


def _is_kept(request: PredictRequest) -> bool:
    is_one = len(request.instances) == 1
    return is_one and request.version is None and request.may_remember and bool(request.model.serve.answers_for_micros)


def _key(request: PredictRequest, version: int) -> tuple[str, int, str]:
    instance: Mapping[str, Any] = request.instances[0]
    return request.model.name, version, json.dumps(instance, sort_keys=True)
