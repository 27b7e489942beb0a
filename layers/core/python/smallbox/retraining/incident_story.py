"""The story of an incident with what followed its trainings: the gate's verdict, the release and its result.

The registry's history keeps those events for good; they are joined when a story is read, so each is written once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from smallbox.monitoring.incident import Incident, StoryEntry, StoryEvent
from smallbox.registry.store import TRAINING_FAILED
from smallbox.release.routing_changes import UNDECIDED

_GATE: Final[Mapping[str, str]] = {
    "registered": "passed the gate",
    "refused": "was refused by the gate",
    UNDECIDED: "could not be judged by the gate",
}
_RELEASE: Final[Mapping[str, tuple[StoryEvent, str]]] = {
    "shadow": ("release", "scores the requests that the champion answers, in a shadow"),
    "challenger": ("release", "answers a share of the requests, in a canary"),
    "step": ("release", "answers a larger share"),
    "champion": ("release", "became champion"),
    "promote": ("promotion", "was promoted to champion"),
    "roll_back": ("rollback", "was rolled back"),
    UNDECIDED: ("release", "ended its release undecided"),
    "retired": ("release", "was retired"),
}


def told_to_the_end(incident: Incident, history: Sequence[Mapping[str, Any]]) -> Incident:
    """The incident, its story with the outcome of every training that it started, oldest first.

    Args:
        incident: the stored incident.
        history: the events of its model, oldest first; see :meth:`smallbox.registry.store.Registry.history`.
    """
    moments = {entry.at for entry in incident.story if entry.event == "training"}
    gated = [event for event in history if event["at"] in moments and event["event"] in _GATE and "version" in event]
    versions = {event["version"] for event in gated}
    followed = [_gate(event) for event in gated]
    followed += [_failed(event) for event in history if event["at"] in moments and event["event"] == TRAINING_FAILED]
    followed += [
        _released(event)
        for event in history
        if event.get("version") in versions and event["event"] in _RELEASE and event not in gated
    ]
    story = sorted([*incident.story, *dict.fromkeys(followed)], key=lambda entry: entry.at)
    return replace(incident, story=tuple(story))


def _gate(event: Mapping[str, Any]) -> StoryEntry:
    return _of_version(event, "gate", _GATE[event["event"]])


def _released(event: Mapping[str, Any]) -> StoryEntry:
    return _of_version(event, *_RELEASE[event["event"]])


def _failed(event: Mapping[str, Any]) -> StoryEntry:
    return StoryEntry(event["at"], "training_failed", f"the training failed: {event.get('why', 'no reason is known')}")


def _of_version(event: Mapping[str, Any], name: StoryEvent, did: str) -> StoryEntry:
    number, why = event["version"], event.get("why")
    return StoryEntry(event["at"], name, f"version {number} {did}{f': {why}' if why else ''}", f"version {number}")
