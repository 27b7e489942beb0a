"""The figures of served predictions that the checks judge, added up part by part."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.define.signature import Signature
from smallbox.lake.partial_histories import PartialHistories
from smallbox.monitoring.degraded_answers import Answerer, degraded_answers
from smallbox.monitoring.sent_fields import Sent, sent_of
from smallbox.monitoring.served_predictions import Served, ServedRows, profile_of
from smallbox.monitoring.skew import Skew, skew_of
from smallbox.ports import Lake
from smallbox.profiles.building import build_profile
from smallbox.profiles.column_pairs import ColumnPairs, stream_columns
from smallbox.profiles.columns import logged_values
from smallbox.profiles.day_numbers import day_numbers, pair_numbers
from smallbox.profiles.profile import Profile, merged_profiles
from smallbox.profiles.stored import ReferenceDays, is_logged
from smallbox.records import CHANNELS, Channel
from smallbox.registry.version import Version
from smallbox.statistics.day_streams import DayValue
from smallbox.statistics.pair_correlation import PairSums
from smallbox.times import Micros


class DayFigures:
    """Figures of a day's predictions, each recomputed by the definition of the version that answered it.

    Attributes:
        answers: the number of online answers.
        fallbacks: how many of them came from the fallback.
        degraded: how many of them were degraded, by cause and who answered.
        lost: by version whose signature or bundle is lost, the number of its rows.
    """

    def __init__(self, model: str, lake: Lake, log: Served, as_of: Micros) -> None:
        self._model, self._lake, self._log, self._as_of = model, lake, log, as_of
        self._histories = PartialHistories(lake)
        self._found: dict[Channel, list[tuple[int, Skew, Sent]]] = {channel: [] for channel in CHANNELS}
        self.answers = self.fallbacks = 0
        self.lost = Counter[int]()
        self.degraded = Counter[Answerer]()

    def add(self, rows: pa.Table) -> None:
        """Add rows of the log."""
        online = rows.filter(pc.equal(rows["channel"], "online"))
        arms = online["arm"]
        self.degraded.update(degraded_answers(online))
        self.answers += len(arms)
        self.fallbacks += pc.sum(pc.equal(arms, "fallback")).as_py() or 0
        self.lost.update(self._log.lost(self._model, rows))
        for channel, found in self._found.items():
            found += [self._compared(one) for one in self._log.by_signature(self._model, rows, channel)]

    def _compared(self, one: ServedRows) -> tuple[int, Skew, Sent]:
        skew = skew_of(one.signature, self._lake, one.rows, self._histories)
        return one.first, skew, sent_of(one.signature, self._lake, one.rows, self._as_of)

    def skews(self, channel: Channel) -> list[Skew]:
        """The skews of a channel, those of the first versions first."""
        return [skew for _, skew, _ in sorted(self._found[channel], key=_first)]

    def sents(self, channel: Channel) -> list[Sent]:
        """How its sent fields compare, in the same order."""
        return [sent for *_, sent in sorted(self._found[channel], key=_first)]


def _first(found: tuple[int, Skew, Sent]) -> int:
    return found[0]


class DayProfile:
    """The distributions of what a channel was asked and answered on a day.

    Attributes:
        signature: the champion's; the rows are those that were answered with it.
        hidden: the columns with personal values, which no finding may quote: no change is looked for in them.
        days: the champion's reference by day; ``None`` when an earlier release trained it.
        reference: the profile of the whole training data, which gives the bins of ``seen``; empty without rows.
        seen: the histograms of the day; ``None`` without rows.
    """

    def __init__(
        self,
        signature: Signature,
        load: Callable[[], Mapping[str, Any]],
        days: ReferenceDays | None,
        stored: Profile | None,
    ) -> None:
        """What is known before a row is read.

        Args:
            signature: the champion's.
            load: loads the profile of the whole training data.
            days: the champion's reference by day.
            stored: the day's profile that was written with the rows; without it the rows are counted.
        """
        self.signature, self._load, self.days = signature, load, days
        self.hidden = signature.personal_columns
        self.reference: Mapping[str, Any] = {}
        self.seen: dict[str, Any] | None = None
        self._layout = None if days is None or stored is not None else days.layout.only(is_logged)
        self._counted = [] if stored is None else [stored]
        self._pairs = None if days is None or not days.pairs else ColumnPairs(days.whole(), days.pairs)
        self._pair_sums: PairSums | None = None

    def add(self, log: Served, rows: pa.Table, channel: Channel, champion: Version) -> None:
        """Add rows of the log, in any order."""
        served = log.comparable(rows, channel, champion)
        if served is None or not served.rows.num_rows:
            return
        self.reference = self.reference or self._load()
        self.seen = _together(self.seen, profile_of(self.signature, served.rows, self.reference))
        if self._layout is not None:
            values = logged_values(self._layout, served.rows)
            self._counted.append(build_profile(self._layout, values, served.rows["time"].to_numpy()))
        if self._pairs is not None:
            # from the rows, which are read for the skew anyway: which pairs matter differs from version to version
            paired = self._pairs.sums(logged_values(self._pairs.layout, served.rows))
            self._pair_sums = paired if self._pair_sums is None else self._pair_sums + paired

    def numbers(self) -> dict[str, DayValue]:
        """The day's numbers for each shown input and output; none without rows, or without a reference by day."""
        if self.days is None or not self._counted:
            return {}
        found = day_numbers(merged_profiles(self._counted[0].layout, self._counted), self.days.whole())
        found |= pair_numbers(self.days.pairs, self._pair_sums)
        return {name: one for name, one in found.items() if not self.hidden.intersection(stream_columns(name))}


def _together(one: dict[str, Any] | None, other: dict[str, Any]) -> dict[str, Any]:
    return other if one is None else {name: _sum(one[name], other[name]) for name in other}


def _sum(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """The profile of the rows of two profiles with the same bins."""
    counts = np.add(one["counts"], other["counts"]).tolist()
    return {**one, "counts": counts, "missing": one["missing"] + other["missing"]}
