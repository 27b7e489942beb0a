"""How old the online states are against what the lake knows: records that are known, and that no state counts yet.

A record is applied to all views of its source or to none, and its marker says so. So the markers of a sample of the
records that became known in the last day say how far the states of every view of the source are behind.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.define.attributes import View
from smallbox.define.rules import Monitor
from smallbox.define.signature import Signature
from smallbox.define.source import Source
from smallbox.features.online.markers import CLAIMED, marker_id
from smallbox.features.online.states import longest_reach
from smallbox.lake.history import history
from smallbox.lake.names import records_table
from smallbox.lake.text_sets import text_hashes
from smallbox.monitoring.report import Check
from smallbox.ports import Between, Lake, OnlineStore
from smallbox.statistics.shares import surely_above
from smallbox.times import DAY, HOUR, MINUTE, Micros

SAMPLED: Final = 100
"""So many records of a source are looked up at most: one read of the online store."""

REFRESH: Final[Micros] = 5 * MINUTE
"""A record that has been known for less is on its way; it is as long as a fine tile is by default."""

_COLUMNS: Final = ("key", "time", "known_at", "received_at", "digest")


@dataclass(frozen=True, slots=True)
class StateLag:
    """How far the online states of a source's views are behind the lake.

    Attributes:
        source: the source.
        views: the names of its views.
        records: how many records were looked up, of those known in the last day and for :data:`REFRESH` at least.
        unapplied: how many of them the states do not count.
        oldest: how long the first of these has been known, microseconds; 0 without one.
        known: when the newest record that was looked up became known; ``None`` without records.
        applied: the same of the newest one that the states count; ``None`` when they count none.
    """

    source: str
    views: tuple[str, ...]
    records: int
    unapplied: int
    oldest: Micros
    known: Micros | None
    applied: Micros | None


class StaleStates:
    """Looks up in the online store what the lake knows.

    Args:
        lake: the records.
        store: has their markers.
    """

    def __init__(self, lake: Lake, store: OnlineStore) -> None:
        self._lake = lake
        self._store = store

    def of(self, signature: Signature, as_of: Micros) -> list[StateLag]:
        """The lag of each source of a version's views: of the store as it is now, against what was known at ``as_of``.

        A record that no window of ``as_of`` reaches is not looked up: nobody needs it.
        """
        sources = {view.source.name: view.source for view in signature.views}
        return [
            self._lag(source, [view for view in signature.views if view.source.name == source.name], as_of)
            for source in sources.values()
        ]

    def _lag(self, source: Source, views: Sequence[View], as_of: Micros) -> StateLag:
        due = as_of - REFRESH
        rows, is_due = history(_sample(self._slices(source, views, as_of), due)), pc.field("known_at") <= due
        asked = rows.filter(is_due & (pc.field("superseded_at") > due))
        ids = [marker_id(source.name, key) for key in asked["key"].to_pylist()]
        is_applied = _applied(asked, rows.filter(~is_due), self._store.markers(ids) if ids else {}, ids)
        known_at = asked["known_at"].to_numpy()
        waiting, counted = known_at[~is_applied], known_at[is_applied]
        return StateLag(
            source.name,
            tuple(view.name for view in views),
            len(ids),
            len(waiting),
            as_of - int(waiting.min()) if len(waiting) else 0,
            int(known_at.max()) if ids else None,
            int(counted.max()) if len(counted) else None,
        )

    def _slices(self, source: Source, views: Sequence[View], as_of: Micros) -> Iterator[pa.Table]:
        """The records known since a day before, and those of a day more: the states may have gone on."""
        known, reached = Between("known_at", as_of - DAY, as_of + DAY), as_of - longest_reach(views)
        for rows in self._lake.slices(records_table(source), between=known, columns=_COLUMNS):
            yield rows.filter(pc.field("time") >= reached)


def _sample(slices: Iterator[pa.Table], due: Micros) -> pa.Table:
    """All versions of the :data:`SAMPLED` keys with the smallest hashes, of the keys that were known when due."""
    kept = pa.table({name: pa.array([], pa.string() if name in {"key", "digest"} else pa.int64()) for name in _COLUMNS})
    for rows in slices:
        together = pa.concat_tables([kept, rows.select(_COLUMNS).cast(kept.schema)])
        hashes = text_hashes(together["key"].combine_chunks())
        asked = np.unique(hashes[together["known_at"].to_numpy() <= due])
        kept = together.filter(pa.array(np.isin(hashes, asked[:SAMPLED])))
    return kept


def _applied(asked: pa.Table, later: pa.Table, found: Mapping[str, str], ids: Sequence[str]) -> Any:
    """Whether the states count each record: this version, one that became known later, or one that a backfill took."""
    newer = set(zip(later["key"].to_pylist(), later["digest"].to_pylist(), strict=True))
    rows = zip(ids, asked["key"].to_pylist(), asked["digest"].to_pylist(), strict=True)
    return np.array(
        [found.get(name) in {digest, CLAIMED} or (key, found.get(name)) in newer for name, key, digest in rows], bool
    )


def stale_checks(rule: Monitor, lags: Sequence[StateLag]) -> list[Check]:
    """For each source of the views, the share of its records that the online states do not count.

    It breaches like the skew that it causes: significantly above ``max_skew``.
    """
    return [
        Check(
            "features",
            f"unapplied:{lag.source}",
            lag.unapplied / lag.records if lag.records else None,
            rule.max_skew,
            surely_above(lag.unapplied, lag.records, rule.max_skew),
            lag.records,
            _said(lag),
        )
        for lag in lags
    ]


def _said(lag: StateLag) -> str:
    if not lag.unapplied:
        return ""
    return f"states of {', '.join(lag.views)} lack a record that has been known for {lag.oldest / HOUR:.1f} hours"
