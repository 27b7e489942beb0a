"""Derives the situation of the retraining decision from a model's versions and history."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from smallbox.registry.store import TRAINING_FAILED, Registry
from smallbox.registry.version import Version
from smallbox.release.routing_changes import UNDECIDED
from smallbox.retraining.decision import Failures, Situation, Unreleased
from smallbox.times import DAY, Micros, parse_moment

TRAINING: Final = "training"
"""The event in a model's history: a training run was started."""

_NEWS: Final = {"refused": "refused", UNDECIDED: "undecided", TRAINING_FAILED: "failed"}

_Events = Sequence[Mapping[str, Any]]


def situation_of(registry: Registry, model: str, incidents: tuple[str, ...], now: Micros) -> Situation:
    """The facts about a model that the retraining decision needs."""
    routing, versions, history = registry.routing(model), registry.versions(model), registry.history(model)
    champion = None if routing is None else parse_moment(registry.get(model, routing.champion).as_of)
    return Situation(
        champion_as_of=champion,
        last_training=_last_training(versions, history),
        in_release=routing is not None and routing.candidate is not None,
        incidents=incidents,
        failures=_failures(versions, history, now),
        unreleased=_unreleased(versions),
        yesterday=tuple(_news(event) for event in history if _is_yesterdays(event, now)),
    )


def _moments(history: _Events, event: str) -> list[Micros]:
    return [parse_moment(one["at"]) for one in history if one["event"] == event]


def _last_training(versions: Sequence[Version], history: _Events) -> Micros | None:
    failed = set(_moments(history, TRAINING_FAILED))
    started = [at for at in _moments(history, TRAINING) if at not in failed]
    return max([parse_moment(v.as_of) for v in versions] + started, default=None)


def _failures(versions: Sequence[Version], history: _Events, now: Micros) -> Failures | None:
    last = max((parse_moment(version.as_of) for version in versions), default=-1)
    failed = [event for event in history if event["event"] == TRAINING_FAILED]
    since = [event for event in failed if last < parse_moment(event["at"]) <= now]
    return Failures(len(since), parse_moment(since[-1]["at"]), since[-1]["why"]) if since else None


def _unreleased(versions: Sequence[Version]) -> Unreleased | None:
    if not versions or versions[-1].status not in {"registered", UNDECIDED}:
        return None
    last = versions[-1]
    return Unreleased(last.number, parse_moment(last.as_of), last.status == UNDECIDED)


def _is_yesterdays(event: Mapping[str, Any], now: Micros) -> bool:
    return event["event"] in _NEWS and now - DAY <= parse_moment(event["at"]) < now


def _news(event: Mapping[str, Any]) -> str:
    of = f"version {event['version']}, " if "version" in event else ""
    return f"{_NEWS[event['event']]} yesterday: {of}{event['why']}"
