"""The ladder of a release: which rung comes next, and when a canary may take its next step."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from smallbox.define.release_rules import Canary, CanaryStep, Release
from smallbox.registry.routing import Routing
from smallbox.release.routing_changes import Changes
from smallbox.times import DAY, Micros, written

Climb = Literal["shadow", "start", "step", "promote"]


@dataclass(frozen=True, slots=True)
class Climbed:
    """A version that went up: what was done, and why in one sentence."""

    action: Climb
    why: str


def begin_release(
    changes: Changes, rule: Release, routing: Routing, number: int, details: Mapping[str, Any]
) -> Climbed:
    """Begin the release of a version on the first rung that the definition has.

    Raises:
        Conflict: when another release runs, or the first rung is a canary and an experiment decides who answers.
    """
    if rule.shadow is not None:
        why = f"its shadow begins: version {number} scores the requests that version {routing.champion} answers"
        changes.shadow(routing, number, {"why": why, **details})
        return Climbed("shadow", why)
    return after_shadow(changes, rule, routing, number, {**details, "left_out": ["shadow"]}, "there is no shadow")


def after_shadow(
    changes: Changes, rule: Release, routing: Routing, number: int, details: Mapping[str, Any], why: str
) -> Climbed:
    """Let a version that the shadow has judged, or that has no shadow, answer: by a canary, else at once.

    The reason of a person, in ``details``, stays as it is.
    """
    by_hand = {"why": details["why"]} if "who" in details else {}
    if rule.canary is not None:
        share = rule.canary.parsed[0].share
        told = f"{why}; its canary begins with {share:.4g} of the {rule.canary.unit or 'key'}s"
        changes.start(routing, number, rule.canary, {**details, "why": told, **by_hand})
        return Climbed("start", told)
    told = f"{why}; there is no canary, so it is champion at once"
    left_out = [*details.get("left_out", ()), "canary"]
    known = {**details, "why": told, "left_out": left_out, **by_hand}
    if routing.candidate == number:
        changes.promote(routing, known)
    else:
        changes.make_champion(routing, number, known)
    return Climbed("promote", told)


def step_of(rule: Canary, routing: Routing) -> CanaryStep | None:
    """The declared step that a canary is in; ``None`` when the definition has none for its share any more."""
    return next((step for step in rule.parsed if step.share == routing.share), None)


def still_bakes(rule: Canary, routing: Routing, now: Micros) -> str:
    """Why a canary's step is not over yet, one sentence; empty when it has baked.

    A share that the definition has no longer has baked: the next larger one follows.
    """
    step = step_of(rule, routing)
    if step is None or now - routing.since >= step.bake_micros:
        return ""
    return f"the step of {step.share:.4g} bakes for {written(step.bake_micros)}"


def next_share(rule: Canary, routing: Routing) -> float | None:
    """The share of the next larger step; ``None`` after the last."""
    return next((step.share for step in rule.parsed if step.share > routing.share), None)


def step_up(changes: Changes, rule: Canary, routing: Routing, details: Mapping[str, Any]) -> Climbed:
    """Take the next larger step of a canary that has baked; after the last its version is champion."""
    share = next_share(rule, routing)
    if share is not None:
        why = f"no harm in the step of {routing.share:.4g}; {share:.4g} follow"
        changes.step(routing, share, {"why": why, **details})
        return Climbed("step", why)
    why = f"no harm in the last step, of {routing.share:.4g}: it is champion"
    changes.promote(routing, {"why": why, **details})
    return Climbed("promote", why)


def has_run_out(rule: Canary, routing: Routing, now: Micros) -> bool:
    """Whether a canary's step has waited so long after it had baked that it ends with "cannot tell"."""
    step = step_of(rule, routing)
    baked = routing.since + (0 if step is None else step.bake_micros)
    return now - baked >= rule.max_days * DAY
