"""The reference of the drift checks: the champion's profile from training, or a week that a person accepted since."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from smallbox.monitoring.report import metrics_partition
from smallbox.ports import Blobs, Documents
from smallbox.records import Channel
from smallbox.registry.store import Registry
from smallbox.registry.version import Version


@dataclass(frozen=True, slots=True)
class Accepted:
    """A week that a person has accepted as the reference of one version and one channel.

    Attributes:
        version: the champion that it holds for.
        as_of: the moment that ends the week, ISO 8601.
        rows: the predictions in it.
        accepted_at: when it was accepted, ISO 8601.
        by: who accepted it, as the caller stated.
        why: the reason.
        profile_key: the key of its profile in the bucket.
    """

    version: int
    as_of: str
    rows: int
    accepted_at: str
    by: str
    why: str
    profile_key: str


@dataclass(frozen=True, slots=True)
class Reference:
    """A profile that the drift checks compare with.

    Attributes:
        profile_key: its key in the bucket.
        origin: ``training``, or the week, who accepted it, and why.
    """

    profile_key: str
    origin: str


class References:
    """Keeps and finds the references of every model."""

    def __init__(self, registry: Registry, metrics: Documents, blobs: Blobs) -> None:
        self._registry = registry
        self._metrics = metrics
        self._blobs = blobs

    def champion(self, model: str) -> Version | None:
        """The champion; ``None`` before the first."""
        routing = self._registry.routing(model)
        return None if routing is None else self._registry.get(model, routing.champion)

    def of(self, model: str, channel: Channel) -> Reference | None:
        """The reference of a channel; ``None`` without a champion."""
        champion = self.champion(model)
        if champion is None:
            return None
        document = self._metrics.get(metrics_partition(model), _key(channel))
        week = None if document is None else Accepted(**document)
        if week is None or week.version != champion.number:
            return Reference(champion.profile_key, "training")
        return Reference(week.profile_key, f"the week before {week.as_of}, accepted by {week.by}: {week.why}")

    def profile(self, reference: Reference) -> dict[str, Any]:
        """The profile itself."""
        profile: dict[str, Any] = json.loads(self._blobs.get(reference.profile_key))
        return profile

    def accept(self, model: str, channel: Channel, week: Accepted, profile: Mapping[str, Any]) -> None:
        """Make a week the reference; it replaces the one before."""
        self._blobs.put(week.profile_key, json.dumps(profile).encode())
        self._metrics.put(metrics_partition(model), _key(channel), asdict(week))


def profile_key(model: str, version: int, channel: Channel, as_of: str) -> str:
    """The key of an accepted week's profile in the bucket."""
    return f"references/{model}/{version}/{channel}-{as_of}.json"


def _key(channel: Channel) -> str:
    return f"reference#{channel}"
