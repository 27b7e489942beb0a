"""The checks of what was answered on a day: skew, sent fields, fallbacks, and the distance from the training data."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from smallbox.define.model import Model
from smallbox.monitoring.check_rules import (
    degraded_checks,
    drift_checks,
    fallback_check,
    lost_checks,
    sent_checks,
    skew_checks,
)
from smallbox.monitoring.report import Check, of_channel
from smallbox.monitoring.served_figures import DayFigures, DayProfile
from smallbox.monitoring.served_predictions import Served
from smallbox.monitoring.stale_states import StaleStates, StateLag, stale_checks
from smallbox.monitoring.stored_days import day_profiles
from smallbox.ports import Between, Blobs, Lake, OnlineStore
from smallbox.profiles.profile import Profile
from smallbox.profiles.store import ProfileStore
from smallbox.records import CHANNELS, Channel
from smallbox.registry.references import reference_of
from smallbox.registry.signatures import Signatures
from smallbox.registry.version import Version
from smallbox.times import DAY, HOUR, Micros


@dataclass(frozen=True, slots=True, eq=False)
class CheckedAnswers:
    """What was found about the answers of a day.

    Attributes:
        checks: their checks.
        profiles: by channel, the distributions of what the champion was asked and answered; empty without a champion.
        lags: how far the online states of the champion's views are behind the lake; empty without a champion.
    """

    checks: list[Check]
    profiles: Mapping[Channel, DayProfile]
    lags: Sequence[StateLag]


class ServedChecks:
    """Reads the prediction log of a day once, part by part."""

    def __init__(self, lake: Lake, signatures: Signatures, blobs: Blobs, online: OnlineStore) -> None:
        self._lake = lake
        self._blobs = blobs
        self._store = ProfileStore(blobs)
        self._log = Served(lake, signatures)
        self._states = StaleStates(lake, online)

    def of(self, model: Model, champion: Version | None, as_of: Micros) -> CheckedAnswers:
        """The day before a moment."""
        day, profiles = DayFigures(model.name, self._lake, self._log, as_of), self._profiles(champion, as_of)
        for rows in self._log.parts(model.name, Between("time", as_of - DAY, as_of)):
            day.add(rows)
            for channel, profile in profiles.items():
                if champion is not None:
                    profile.add(self._log, rows, channel, champion)
        degraded = degraded_checks(model.monitor, day.degraded, day.answers)
        lags = self._lags(champion, as_of)
        checks = [*_fallback(model, day), *degraded, *lost_checks(day.lost), *stale_checks(model.monitor, lags)]
        for channel in CHANNELS:
            skew = skew_checks(model.monitor, day.skews(channel))
            sent = sent_checks(model.monitor, day.sents(channel))
            checks += of_channel(channel, [*skew, *sent, *_distance(profiles.get(channel))])
        return CheckedAnswers(checks, profiles, lags)

    def _lags(self, champion: Version | None, as_of: Micros) -> list[StateLag]:
        signature = None if champion is None else self._log.signature(champion.model, champion.number)
        return [] if signature is None else self._states.of(signature, as_of)

    def _profiles(self, champion: Version | None, as_of: Micros) -> dict[Channel, DayProfile]:
        """A profile to fill for each channel; none when there is no champion, or its signature is lost."""
        signature = None if champion is None else self._log.signature(champion.model, champion.number)
        if champion is None or signature is None:
            return {}
        load, days = partial(self._reference, champion), reference_of(self._blobs, champion)
        return {
            channel: DayProfile(signature, load, days, self._stored(champion, channel, as_of)) for channel in CHANNELS
        }

    def _stored(self, champion: Version, channel: Channel, as_of: Micros) -> Profile | None:
        """The profile of the champion's answers that was written with them, by whole hours."""
        if as_of % HOUR:
            return None
        begin = as_of - DAY
        return day_profiles(self._store, champion.model, champion.number, channel, [begin]).get(begin)

    def _reference(self, champion: Version) -> dict[str, Any]:
        reference: dict[str, Any] = json.loads(self._blobs.get(champion.profile_key))
        return reference


def _fallback(model: Model, day: DayFigures) -> list[Check]:
    if not day.answers or model.fallback is None:
        return []
    return [fallback_check(model.monitor, day.fallbacks, day.answers)]


def _distance(profile: DayProfile | None) -> list[Check]:
    if profile is None or profile.seen is None:
        return []
    return drift_checks(profile.signature, profile.reference, profile.seen)
