"""Rebuilds online states from the lake: all of them, or those that corrected and late records touch.

A rebuild runs while the stream is running, and no record may be counted twice or missed. The protocol is:

1. write the markers of the rebuilt records;
2. read the states' versions, then the lake, then the markers;
3. compute each state from the records that have a marker;
4. write each state on the condition that its version is unchanged (optimistic concurrency).

If the stream adds a record meanwhile, the version changes and the write is retried. A record without a marker is left
to the stream: its message is still in the queue. Markers outlive the windows, so every record that counts has one.
After a crash between steps 1 and 4 states lag behind the lake: run the request again, as a queue does. A state that
exceeds the size limit of an item is set aside, and does not block other states.

Views join while workers run that do not know them yet. No worker is waited for. One that has read the live views
before the new view joined had received its records before that. They were in the lake by then, so the backfill, which
reads the lake after the view has joined, claims them in step 1. See decision 0034.
"""

import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from smallbox.define.attributes import View
from smallbox.define.source import Source
from smallbox.errors import Conflict
from smallbox.features.online.apply import WRITE_ATTEMPTS, Pause
from smallbox.features.online.markers import CLAIMED, expiry, marker_id
from smallbox.features.online.reads import read_markers, read_states
from smallbox.features.online.recompute import recompute
from smallbox.features.online.states import (
    SetAside,
    fits,
    is_set_aside,
    lifetime,
    longest_reach,
    pack_state,
    state_key,
    state_watermark,
)
from smallbox.features.online.window_rows import WindowRows, touched
from smallbox.features.online.writes import write_states
from smallbox.features.state_engines import state_engine_of
from smallbox.lake.history import FOREVER, history, valid_or_first_at
from smallbox.lake.names import records_table
from smallbox.ports import Between, Lake, Marker, OnlineStore, StateKey, StateWrite, StoredState
from smallbox.times import Micros

_MARKED: Final = 20_000
"""How many markers are written, or asked for, at once."""


@dataclass(frozen=True, slots=True)
class EntityShard:
    """Shard ``number`` of ``of`` shards of all entities, by a stable hash."""

    number: int
    of: int

    def holds(self, key: StateKey) -> bool:
        """Whether a state belongs to this shard."""
        return zlib.crc32(f"{key.view} {key.entity}".encode()) % self.of == self.number


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """The result of a rebuild.

    Attributes:
        states: the number of states written.
        set_aside: the keys of those that exceed the size limit of an item.
        later: content hashes of corrections whose ``known_at`` is later than now, by key: request them again then.
    """

    states: int = 0
    set_aside: Sequence[StateKey] = ()
    later: Mapping[str, str] = field(default_factory=dict)


def _later(versions: pa.Table, counted: pa.Table, now: Micros) -> dict[str, str]:
    """Content hashes, by key, of versions with ``known_at`` later than now that are not counted already."""
    known_later = pc.field("known_at") > now
    found, first = (
        list(zip(*(rows.filter(known_later)[name].to_pylist() for name in ("key", "digest")), strict=True))
        for rows in (history(versions), counted)
    )
    counts = set(first)
    # in the order of the versions: of several the last one stays
    return {key: digest for key, digest in found if (key, digest) not in counts}


def _claimed(rows: pa.Table) -> pa.Table:
    digests = pa.array([CLAIMED] * rows.num_rows, pa.string())
    return rows.set_column(rows.column_names.index("digest"), "digest", digests)


def _together(parts: Iterable[Rebuilt]) -> Rebuilt:
    """The result of several rebuilds."""
    found = list(parts)
    later = {key: digest for one in found for key, digest in one.later.items()}
    return Rebuilt(sum(one.states for one in found), tuple(key for one in found for key in one.set_aside), later)


@dataclass(frozen=True, slots=True)
class Rebuilder:
    """Writes the online states of one source's views from the lake.

    Attributes:
        source: the source whose views are written.
        views: all views of the source: a record's marker covers all of them.
        lake: has every record before the stream applies it.
        store: the states.
        pause: waits before a retry.
    """

    source: Source
    views: Sequence[View]
    lake: Lake
    store: OnlineStore
    pause: Pause

    def correct(self, keys: Collection[str] | pa.Array, now: Micros) -> Rebuilt:
        """Rebuild all states that any version of the records with these keys touches.

        Raises:
            Conflict: if concurrent writes exhausted all attempts: run the request again.
        """
        if not len(keys):
            return Rebuilt()
        rows = self._rows(now)
        return self._counted_and_replaced(rows, rows.parts_of(pa.array(keys, pa.string())), now)

    def materialize(self, now: Micros) -> Rebuilt:
        """Rebuild all states of the source's views. All records of the lake are marked as applied.

        Raises:
            Conflict: if concurrent writes exhausted all attempts: run it again.
        """
        rows = self._rows(now)
        return self._counted_and_replaced(rows, rows.parts(), now)

    def _counted_and_replaced(self, rows: WindowRows, parts: Iterable[pa.Table], now: Micros) -> Rebuilt:
        """Mark the records of these parts, then rebuild the states that any version of them touches."""
        keys: dict[StateKey, View] = {}
        later: dict[str, str] = {}
        for part in parts:
            counted = valid_or_first_at(part, now)
            self._mark(counted)
            later |= _later(part, counted, now)
            keys |= touched(part, self.views)
        return replace(self._replace(rows, keys, now), later=later)

    def _replace(self, rows: WindowRows, keys: Mapping[StateKey, View], now: Micros) -> Rebuilt:
        """Recompute states, as many at a time as memory holds."""
        return _together(self.replace(some, now) for some in rows.split(keys))

    def fill(self, views: Sequence[View], part: EntityShard, now: Micros) -> Rebuilt:
        """Compute one shard of the states of views that have joined.

        Every record is claimed: its marker says :data:`~smallbox.features.online.markers.CLAIMED`. So the record counts
        here. A worker that does not know the new views, and has not applied the record yet, finds the marker and
        requests a rebuild of all views instead; so does a duplicate or a correction that arrives later.

        Args:
            views: the views.
            part: the shard of their entities.
            now: the current time, or a replay's simulated time.

        Raises:
            Conflict: if concurrent writes exhausted all attempts: run it again.
        """
        rows = self._rows(now)
        keys = rows.states(views, part.holds)
        counted = valid_or_first_at(rows.of_keys(rows.keys_touching(keys)), now)
        self._mark(_claimed(counted))
        return self._replace(rows, keys, now)

    def rows(self, now: Micros) -> int:
        """The number of rows that a rebuild reads."""
        between = Between("time", now - longest_reach(self.views), FOREVER)
        return sum(r.num_rows for r in self.lake.slices(records_table(self.source), between=between, columns=["time"]))

    def _mark(self, rows: pa.Table) -> None:
        """Write each record's marker with the content hash of its current version; other versions are corrections."""
        for some in rows.select(["key", "digest", "time", "known_at"]).to_batches(_MARKED):
            columns = (column.to_pylist() for column in some.columns)
            self.store.mark(
                [
                    Marker(marker_id(self.source.name, key), digest, expiry(self.source, self.views, time, known_at))
                    for key, digest, time, known_at in zip(*columns, strict=True)
                ]
            )

    def replace(self, keys: Mapping[StateKey, View], now: Micros) -> Rebuilt:
        """Recompute states from the lake, from records that have a marker, and write them.

        Raises:
            Conflict: if concurrent writes exhausted all attempts: run it again.
        """
        left, set_aside = dict(keys), []
        for attempt in range(WRITE_ATTEMPTS):
            if attempt:
                self.pause(attempt)
            stored = read_states(self.store, left)
            fresh = self._states(left, stored, now)
            writes = [self._write(key, view, fresh, stored) for key, view in left.items()]
            left = {key: left[key] for key in write_states(self.store, writes)}
            set_aside += [write.key for write in writes if is_set_aside(write.packed) and write.key not in left]
            if not left:
                return Rebuilt(len(keys), set_aside)
        raise Conflict(
            f"{len(left)} states of source {self.source.name} were written concurrently in all {WRITE_ATTEMPTS} "
            "attempts; run the request again",
            source=self.source.name,
        )

    def _states(
        self, keys: Mapping[StateKey, View], stored: Mapping[StateKey, StoredState], now: Micros
    ) -> dict[StateKey, Any]:
        # a writer with a faster clock may have applied records whose known_at is after our now
        as_of = max([now, *(state_watermark(keys[key], state.packed) for key, state in stored.items())])
        # a state without records keeps the moment, too: a delayed writer must not add what was moved away meanwhile
        states = {key: replace(state_engine_of(view).empty(view), watermark=as_of) for key, view in keys.items()}
        table = self._counted(self._rows(now), keys)
        return states | {
            key: state
            for view in dict.fromkeys(keys.values())
            for entity, state in recompute(view, table, as_of).items()
            if (key := state_key(view, entity)) in keys
        }

    def _counted(self, rows: WindowRows, keys: Mapping[StateKey, View]) -> pa.Table:
        """All versions of the records that have a marker and touch one of the states in any version."""
        touching = rows.keys_touching(keys)
        found: list[str] = []
        for at in range(0, len(touching), _MARKED):
            ids = {marker_id(self.source.name, key): key for key in touching[at : at + _MARKED].to_pylist()}
            found += [ids[identity] for identity in read_markers(self.store, ids)]
        return rows.of_keys(pa.array(found, pa.string()))

    def _write(
        self,
        key: StateKey,
        view: View,
        fresh: Mapping[StateKey, Any],
        stored: Mapping[StateKey, StoredState],
    ) -> StateWrite:
        expected = stored[key].version if key in stored else 0
        state = fresh[key]
        packed = pack_state(view, state)
        if not fits(packed):
            packed = pack_state(view, SetAside(state.watermark))
        return StateWrite(key, packed, expected, lifetime(view))

    def _rows(self, now: Micros) -> WindowRows:
        """The rows of the lake as it is; none without views: a request may wait longer than the last view lives."""
        return WindowRows(self.source, self.views, self.lake, now)
