"""The story of a release: its rungs, what each look at it knew, and who changed it."""

from collections.abc import Mapping, Sequence
from typing import Any

from smallbox.errors import NotFound
from smallbox.registry.routing import Routing
from smallbox.registry.version import Version
from smallbox.release.looks import events_of
from smallbox.release.shadow_days import merged_slices
from smallbox.times import format_moment


def release_story(
    version: Version,
    routing: Routing | None,
    history: Sequence[Mapping[str, Any]],
    looks: Sequence[Mapping[str, Any]],
    days: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """The document of ``GET /models/{model}/releases/{version}``.

    Args:
        version: the version that is, or was, released.
        routing: the model's; ``None`` before the first champion.
        history: the model's events.
        looks: those at this release.
        days: those of its shadow.
    """
    return {
        "model": version.model,
        "version": version.number,
        "status": version.status,
        "running": _running(version.number, routing),
        "events": [dict(event) for event in events_of(history, version.number)],
        "looks": [dict(look) for look in looks],
        "days": [_day(day) for day in days],
        "slices": merged_slices(days),
    }


def _running(number: int, routing: Routing | None) -> dict[str, Any] | None:
    if routing is None or routing.candidate != number:
        return None
    rung = "shadow" if routing.challenger is None else "canary"
    return {
        "rung": rung,
        "share": routing.share,
        "unit": routing.unit,
        "began": format_moment(routing.began),
        "since": format_moment(routing.began if rung == "shadow" else routing.since),
        "held": routing.held,
        "champion": routing.champion,
    }


def _day(day: Mapping[str, Any]) -> dict[str, Any]:
    settled = day.get("settled") or {}
    return {
        "day": day["day"],
        "champion": day["champion"],
        "asked": day["asked"],
        "unlike": {name: day["unlike"][name] for name in ("answered", "unlike")},
        "paired": settled.get("paired"),
        "calibration": settled.get("calibration"),
    }


def newest_released(model: str, routing: Routing | None, history: Sequence[Mapping[str, Any]]) -> int:
    """The version of the running release, else of the last one.

    Raises:
        NotFound: when no version of the model was ever released.
    """
    if routing is not None and routing.candidate is not None:
        return routing.candidate
    released = [event["version"] for event in history if event["event"] in {"shadow", "challenger", "champion"}]
    if not released:
        raise NotFound(f"no version of {model} has been released yet", model=model)
    return int(released[-1])
