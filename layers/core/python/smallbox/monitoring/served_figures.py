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
from smallbox.monitoring.served_predictions import Served, ServedRows, is_whole, profile_of
from smallbox.monitoring.skew import Skew, skew_of
from smallbox.ports import Lake
from smallbox.records import CHANNELS, Channel
from smallbox.registry.version import Version
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


class WeekProfile:
    """The profile of what a channel was served in a week, in the bins of a reference.

    Attributes:
        signature: the champion's; the rows are those that were answered with it.
        reference: the profile that gives the bins; empty without rows.
        seen: the profile of the week; ``None`` without rows.
        is_whole: whether the rows span the whole week.
    """

    def __init__(self, signature: Signature, load: Callable[[], Mapping[str, Any]], as_of: Micros) -> None:
        self.signature, self._load = signature, load
        self.reference: Mapping[str, Any] = {}
        self.seen: dict[str, Any] | None = None
        self.is_whole = False
        self._as_of = as_of

    def add(self, log: Served, rows: pa.Table, channel: Channel, champion: Version) -> None:
        """Add rows of the log, in any order."""
        served = log.comparable(rows, channel, champion)
        if served is None or not served.rows.num_rows:
            return
        self.reference = self.reference or self._load()
        found = profile_of(self.signature, served.rows, self.reference)
        self.seen = found if self.seen is None else {name: _sum(self.seen[name], found[name]) for name in found}
        self.is_whole = self.is_whole or is_whole(served.rows, self._as_of)

    def reads(self, column: str) -> bool:
        """Whether a column of the log is needed."""
        return column in {
            "version",
            "arm",
            "channel",
            "degraded",
            *self.signature.columns.names,
            *self.signature.objective.outputs,
        }


def _sum(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """The profile of the rows of two profiles with the same bins."""
    counts = np.add(one["counts"], other["counts"]).tolist()
    return {**one, "counts": counts, "missing": one["missing"] + other["missing"]}
