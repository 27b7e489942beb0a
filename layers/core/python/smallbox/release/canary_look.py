"""A look at a canary: what both arms answered since its step began, the labels so far, and the challenger's shadow."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from smallbox.define.model import Model
from smallbox.labels.stored import why_labels_wait
from smallbox.ports import Documents, Lake
from smallbox.registry.routing import Routing
from smallbox.registry.store import Registry
from smallbox.release.arm_losses import arm_losses
from smallbox.release.harm import HarmVerdict, judge_harm
from smallbox.release.harm_counts import COUNTED, UnlikeCounts
from smallbox.release.logged_counts import IN_LOG, logged_counts
from smallbox.release.shadow_days import ShadowDays
from smallbox.times import DAY, Micros, parse_day

_NOT_IN_LOG = frozenset(COUNTED) - frozenset(IN_LOG)


class CanaryLook:
    """Looks at a canary in the lake; failed and late answers are counted by the guard, while they happen."""

    def __init__(self, lake: Lake, registry: Registry, metrics: Documents) -> None:
        self._lake = lake
        self._registry = registry
        self._metrics = metrics

    def at(self, model: Model, routing: Routing, now: Micros) -> HarmVerdict:
        """Judge the canary by what is known at a moment; labels behind an open breaker are left out."""
        rule = model.release
        steps = 1 if rule.canary is None else len(rule.canary.steps)
        losses = None
        if not why_labels_wait(self._metrics, model.name):
            losses = arm_losses(self._lake, model, routing, now)
        counts = logged_counts(self._lake, model, routing, now)
        found = judge_harm(rule.guardrails, counts, self._unlike(model.name, routing), losses, steps)
        known = [one for one in found.evidence if one["figure"] not in _NOT_IN_LOG]
        return replace(found, evidence=known)

    def _unlike(self, model: str, routing: Routing) -> UnlikeCounts | None:
        days = ShadowDays(self._metrics, model, routing.challenger or 0).of(routing.champion)
        return unlike_of(days, routing.since)


def unlike_of(days: Sequence[Mapping[str, Any]], since: Micros) -> UnlikeCounts | None:
    """How many answers of the candidate itself were scored again since a moment, and how many of them differ.

    By cluster of keys; ``None`` before any was.
    """
    found = [day["unlike"]["clusters"] for day in days if parse_day(day["day"]) + DAY > since]
    if not found:
        return None
    compared, unlike = np.array(found, dtype=np.float64).sum(axis=0)
    return UnlikeCounts(compared, unlike) if compared.any() else None
