"""Finds the answers of a request: which version, from which inputs, and what answers where that fails."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from smallbox.errors import ContractViolation, NotReady, NotStored, SmallboxError, Unavailable
from smallbox.features.live_views import LiveViewStore, check_ready
from smallbox.features.online.recent import StateCache
from smallbox.ports import StateReader
from smallbox.records import Cause
from smallbox.registry.assignment import interleaved_versions
from smallbox.registry.loader import LoadedVersion, ModelLoader
from smallbox.registry.routing import Routing, RunningExperiment
from smallbox.release.canary_marks import CanaryMark, cluster_of
from smallbox.serving.logged_answers import Answered
from smallbox.serving.predict_request import PredictRequest
from smallbox.serving.remembered import AnswerCache, RoutingCache
from smallbox.serving.requests import require
from smallbox.serving.sticky_assignment import Share, pinned, shares_of
from smallbox.serving.vectors import Vectors, online_vectors, unknown_vectors
from smallbox.serving_ports import FailureLog
from smallbox.statistics.output_limits import within_limits
from smallbox.times import MILLISECOND, Micros

_CANNOT_ANSWER: Final = (NotReady, NotStored, Unavailable)
"""What a version that cannot answer raises; something else answers then, where the definition declares it."""

Clock = Callable[[], Micros]


@dataclass(frozen=True, slots=True)
class Part:
    """Answers of one version, and the part of the request that they are for.

    Attributes:
        request: the part.
        answered: its answers.
        as_of: the moment of the inputs; ``None``: that of the request.
        experiment: of a ranking the experiment that runs; ``None`` without one.
    """

    request: PredictRequest
    answered: Answered
    as_of: Micros | None = None
    experiment: RunningExperiment | None = None


class Answering:
    """Answers requests by the routing of their model; see :class:`~smallbox.define.serve.Serve` for what degrades how.

    Args:
        store: the online store.
        live: the live views.
        loader: the versions.
        failures: told of every answer that is not as usual.
        clock: the present, for the time budget.
        tell: told of a request that an arm of a canary fails.
    """

    def __init__(
        self,
        store: StateReader,
        live: LiveViewStore,
        loader: ModelLoader,
        failures: FailureLog,
        clock: Clock,
        tell: Callable[[PredictRequest, CanaryMark], None],
    ) -> None:
        self._store = store
        self._live = live
        self._loader = loader
        self._failures = failures
        self._clock = clock
        self._tell = tell
        self._readable: set[tuple[str, int]] = set()
        self.states, self.routings, self.answers = StateCache(store), RoutingCache(loader), AnswerCache()

    def left(self, request: PredictRequest) -> Micros | None:
        """What is left of the request's time budget, at least a millisecond; ``None`` without a budget."""
        budget = request.model.serve.budget_micros
        return None if budget is None else max(request.now + budget - self._clock(), 1_000)

    def parts(self, request: PredictRequest) -> Iterator[Part]:
        """The answers of each version: to its own rows, or to all rows of a group whose rankings are interleaved.

        Raises:
            NotFound: the version that the caller names does not answer requests.
            NotReady, Unavailable: no version can answer, and nothing is declared for that.
        """
        if request.version is not None:
            routing = self._loader.routing(request.model.name, self.left(request))
            share = pinned(routing, request.model.name, request.version, request.rows)
            yield Part(request, self._limited(request, self._of_version(request, share.version, share.arm)))
            return
        try:
            found = self.routings.of(request, self.left(request))
        except _CANNOT_ANSWER as error:
            yield Part(request, self._prior(request, error))
            return
        request.steps.done("routing")
        for share in _shares(request, found.routing):
            part = request.part(share.rows)
            answers = self._watched(part, share, found.routing)
            of_list = replace(answers, experiment=found.routing.experiment) if request.is_ranked else answers
            yield self._marked(of_list, found.why)

    def _watched(self, request: PredictRequest, share: Share, routing: Routing) -> Part:
        """The answers of one version; while a canary runs, with the mark of how its arm did."""
        if routing.challenger is None:
            return self._of_share(request, share, routing)
        began, unit = self._clock(), request.model.assigned_by(request.instances[:1], routing.assigned_by)[0]
        mark = CanaryMark(routing.challenger, share.arm, cluster_of(unit), request.now, 0.0)
        try:
            part = self._of_share(request, share, routing)
        except Exception:
            self._tell(request, replace(mark, failed=True))
            raise
        took = (self._clock() - began) / MILLISECOND
        missing = bool(part.answered.vectors.inputs.missing[:1].any())
        mark = replace(mark, milliseconds=took, missing=missing, fallback=part.answered.arm == "fallback")
        return replace(part, answered=replace(part.answered, canary=mark))

    def _of_share(self, request: PredictRequest, share: Share, routing: Routing) -> Part:
        remembered = self.answers.find(request, share.version)
        if remembered is not None:
            as_of, answered = remembered
            return Part(request, replace(answered, arm=share.arm, is_remembered=True), as_of)
        is_loaded = False
        try:
            self._loader.version(request.model.name, share.version)
            is_loaded = True
            answered = self._of_version(request, share.version, share.arm)
        except _CANNOT_ANSWER as error:
            # a store that fails fails for every version alike
            is_store = is_loaded and isinstance(error, Unavailable)
            answered = self._prior(request, error) if is_store else self._otherwise(request, share, routing, error)
            return Part(request, self._limited(request, answered))
        answered = self._limited(request, answered)
        self.answers.keep(request, answered)
        return Part(request, answered)

    def _of_version(self, request: PredictRequest, number: int, arm: str) -> Answered:
        version = self._loader.version(request.model.name, number)
        signature = version.signature
        require(request.model.request, signature.request_fields, request.raws, request.instances, request.rows)
        self._check_readable(version)
        request.steps.done("version")
        vectors, causes = self._vectors(request, version)
        request.steps.done("states")
        outputs = version.scorer.score(vectors.inputs.numeric, vectors.inputs.categorical)
        request.steps.done("score")
        return Answered(signature, vectors, outputs, arm, number, [causes] * len(outputs))

    def _vectors(self, request: PredictRequest, version: LoadedVersion) -> tuple[Vectors, tuple[Cause, ...]]:
        """The inputs, and why they lack stored features."""
        serve, signature = request.model.serve, version.signature
        may_remember = request.may_remember
        store = self.states.at(request.now, serve.states_for_micros) if may_remember else self._store
        try:
            found = online_vectors(signature, request.instances, store, request.moment, self.left(request))
        except Unavailable as error:
            if serve.without_states != "defaults":
                raise
            self._failures.degraded(request.model.name, "states", len(request.instances), error)
            return unknown_vectors(signature, request.instances), ("states",)
        return found, ()

    def _check_readable(self, version: LoadedVersion) -> None:
        """Raise unless the views of the version are live and filled; once per process, since live views stay so."""
        at = (version.signature.name, version.number)
        if at not in self._readable and version.signature.views:
            check_ready(self._live.read(), version.signature.views)
            self._readable.add(at)

    def _otherwise(self, request: PredictRequest, share: Share, routing: Routing, error: SmallboxError) -> Answered:
        """The answers of the version before, or of the fallback; raises the error where neither is there."""
        number = routing.champion if share.version != routing.champion else routing.previous
        if request.model.serve.last_good and number is not None:
            try:
                answered = self._of_version(request, number, "fallback")
            except (*_CANNOT_ANSWER, ContractViolation):
                return self._prior(request, error)
            self._failures.degraded(request.model.name, "version", len(request.instances), error)
            return _with_cause(answered, "version")
        return self._prior(request, error)

    def _prior(self, request: PredictRequest, error: SmallboxError) -> Answered:
        model, count = request.model, len(request.instances)
        if model.fallback_outputs is None:
            raise error
        self._failures.degraded(model.name, "prior", count, error)
        vectors, outputs = unknown_vectors(model, request.instances), np.tile(model.fallback_outputs, (count, 1))
        return Answered(model, vectors, outputs, "fallback", 0, [("prior",)] * count)

    def _marked(self, part: Part, why: SmallboxError | None) -> Part:
        if why is None:
            return part
        self._failures.degraded(part.request.model.name, "routing", len(part.request.rows), why)
        return replace(part, answered=_with_cause(part.answered, "routing"))

    def _limited(self, request: PredictRequest, answered: Answered) -> Answered:
        """The outputs within the declared limits; those that were beyond are marked and counted."""
        model = request.model
        if not model.serve.limits:
            return answered
        within = within_limits(answered.outputs, answered.signature.objective.outputs, model.serve.limits)
        is_beyond = (within != answered.outputs) & ~np.isnan(answered.outputs)
        rows = is_beyond.any(axis=1)
        if not rows.any():
            return answered
        self._failures.degraded(model.name, "limits", int(rows.sum()))
        beyond: Sequence[Cause] = ("limits",)
        degraded = [
            (*causes, *beyond) if is_one else causes for causes, is_one in zip(answered.degraded, rows, strict=True)
        ]
        return replace(answered, outputs=within, degraded=degraded)


def _with_cause(answered: Answered, cause: Cause) -> Answered:
    return replace(answered, degraded=[(*causes, cause) for causes in answered.degraded])


def _shares(request: PredictRequest, routing: Routing) -> list[Share]:
    if len(routing.versions) == 1:
        return [Share("champion", routing.champion, request.rows)]
    units = request.model.assigned_by(request.instances, routing.assigned_by)
    if request.is_ranked and (both := interleaved_versions(routing, units[0])):
        return [Share("experiment", version, request.rows) for version in both]
    return shares_of(routing, units)
