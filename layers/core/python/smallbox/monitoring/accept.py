"""A person accepts a new reference: the week of the latest report becomes the reference of the drift checks."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from smallbox.define.model import Model
from smallbox.define.project import Project
from smallbox.errors import MalformedBody, NotReady
from smallbox.monitoring.reference import Accepted, References, profile_key
from smallbox.monitoring.report import LATEST, metrics_partition
from smallbox.monitoring.served_predictions import Served, is_whole, profile_of
from smallbox.ports import Blobs, Documents, Lake
from smallbox.records import CHANNELS, Channel
from smallbox.registry.signatures import Signatures
from smallbox.registry.store import Registry
from smallbox.times import Micros, format_moment, parse_moment

ACCEPTED: Final = "reference_accepted"
"""The event in a model's history: a week became the reference."""


class AcceptTask:
    """Makes the week of the latest report the reference of the champion's drift checks.

    Accepting again replaces it. A new champion starts with its own profile as reference.
    """

    def __init__(
        self,
        project: Project,
        lake: Lake,
        blobs: Blobs,
        registry: Registry,
        signatures: Signatures,
        metrics: Documents,
    ) -> None:
        self._project = project
        self._registry = registry
        self._metrics = metrics
        self._references = References(registry, metrics, blobs)
        self._served = Served(lake, signatures)

    def run(self, document: Mapping[str, Any], now: Micros) -> dict[str, Any]:
        """Accept for ``document["model"]``, with ``why``, ``by`` and, optionally, ``channel``; the accepted week.

        Raises:
            MalformedBody: the reason is missing, or there is no such channel.
            NotReady: when no day was checked, there is no champion, or the week has too few rows.
        """
        model = self._project.model(document["model"])
        why, channel = str(document.get("why") or "").strip(), document.get("channel", "online")
        if not why:
            raise MalformedBody(
                "why is missing; say why this week is a good reference: the history keeps it", field="why"
            )
        if channel not in CHANNELS:
            raise MalformedBody(f"channel {channel!r} must be one of {', '.join(CHANNELS)}", field="channel")
        report = self._metrics.get(metrics_partition(model.name), LATEST)
        if report is None:
            raise NotReady(f"no day of {model.name!r} has been checked, so there is no week to accept")
        by = str(document.get("by") or "unknown")
        week = self._accept(model, channel, report["as_of"], by, why, now)
        self._registry.record(model.name, parse_moment(week.as_of), ACCEPTED, {**asdict(week), "channel": channel})
        return {"model": model.name, "channel": channel, **asdict(week)}

    def _accept(self, model: Model, channel: Channel, as_of: str, by: str, why: str, now: Micros) -> Accepted:
        champion, until = self._references.champion(model.name), parse_moment(as_of)
        if champion is None:
            raise NotReady(f"model {model.name!r} has no champion; train it first")
        served = self._served.comparable(self._served.week(model.name, until), channel, champion)
        if served is None:
            raise NotReady(f"the signature of version {champion.number} is lost; restore it, or train again")
        rows = served.rows
        if not is_whole(rows, until) or rows.num_rows < model.monitor.min_rows:
            raise NotReady(
                f"the week before {as_of} has {rows.num_rows} {channel} predictions with the champion's inputs; a "
                f"reference needs a whole week and {model.monitor.min_rows} of them"
            )
        key = profile_key(model.name, champion.number, channel, as_of)
        week = Accepted(champion.number, as_of, rows.num_rows, format_moment(now), by, why, key)
        self._references.accept(model.name, channel, week, profile_of(served.signature, rows))
        return week
