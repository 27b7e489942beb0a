"""A model's status on one screen: champion, canary, last training, breaches, freshness of its sources."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from smallbox.registry.routing import Routing
from smallbox.registry.store import TRAINING_FAILED
from smallbox.registry.version import Version
from smallbox.times import format_moment

_BECOMES_CHAMPION: Final = ("champion", "promote")
_FRESHNESS: Final = "freshness_hours"
_VOLUME: Final = "volume"


def status_of(
    name: str,
    routing: Routing | None,
    versions: Sequence[Version],
    history: Sequence[Mapping[str, Any]],
    report: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """A model's status as a document.

    Args:
        name: the model.
        routing: its routing; ``None`` before the first champion.
        versions: its versions, oldest first.
        history: its events, oldest first.
        report: its latest monitoring report; ``None`` before the first.
    """
    checks = [] if report is None else report["checks"]
    return {
        "name": name,
        "champion": None if routing is None else _champion(routing, history),
        "canary": None if routing is None else _canary(routing),
        "shadow": None if routing is None or routing.shadow is None else _shadow(routing, routing.shadow),
        "last_training": _last_training(versions, history),
        "day": None if report is None else report["day"],
        "breaches": [] if report is None else list(report["sentences"]),
        "sources": _sources(checks),
    }


def _champion(routing: Routing, history: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The champion and since when. ``routing.since`` is no use for that: the start of a canary changes it too."""
    became = [
        event["at"]
        for event in history
        if event["event"] in _BECOMES_CHAMPION and event.get("version") == routing.champion
    ]
    return {"version": routing.champion, "since": became[-1] if became else format_moment(routing.since)}


def _canary(routing: Routing) -> dict[str, Any] | None:
    if routing.challenger is None:
        return None
    return {"version": routing.challenger, "share": routing.share, "since": format_moment(routing.since)}


def _shadow(routing: Routing, number: int) -> dict[str, Any]:
    return {"version": number, "since": format_moment(routing.began)}


def _last_training(versions: Sequence[Version], history: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """The last finished training run, successful or failed."""
    ended = [_of_version(version) for version in versions[-1:]]
    ended += [
        {"as_of": event["at"], "version": None, "outcome": "failed", "why": event.get("why", "")}
        for event in history
        if event["event"] == TRAINING_FAILED
    ]
    return max(ended, key=lambda training: training["as_of"], default=None)


def _of_version(version: Version) -> dict[str, Any]:
    verdict = version.verdict
    outcome = verdict.get("outcome") or ("accepted" if verdict.get("accepted") else "refused")
    return {"as_of": version.as_of, "version": version.number, "outcome": outcome, "why": verdict.get("why", "")}


def _sources(checks: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each source on the day of the report: its record count, and its age in hours if it declares a freshness."""
    sources: dict[str, dict[str, Any]] = {}
    for check in checks:
        kind, _, source = str(check["name"]).partition(":")
        if kind in (_FRESHNESS, _VOLUME):
            found = sources.setdefault(
                source, {"name": source, "records": None, "age_hours": None, "most_hours": None, "breached": False}
            )
            found["breached"] |= bool(check["breached"])
            if kind == _VOLUME:
                found["records"] = check["rows"]
            else:
                found |= {"age_hours": check["value"], "most_hours": check["limit"]}
    return list(sources.values())
