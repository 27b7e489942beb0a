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
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from smallbox.define.attributes import View
from smallbox.define.source import Source
from smallbox.errors import Conflict
from smallbox.features.batch_engines import columns_needed
from smallbox.features.columns import entities_of
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
    version_of,
)
from smallbox.features.online.writes import write_states
from smallbox.features.state_engines import state_engine_of
from smallbox.lake.history import FOREVER, history, valid_or_first_at
from smallbox.lake.names import records_table
from smallbox.lake.schemas import record_schema
from smallbox.ports import Between, Lake, Marker, OnlineStore, StateKey, StateWrite, StoredState
from smallbox.times import Micros


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


def _of_keys(table: pa.Table, keys: Collection[str] | pa.Array) -> pa.Table:
    """All versions of the records with these keys."""
    return table.filter(pc.is_in(table["key"], value_set=pa.array(keys, pa.string())))


def _later(versions: pa.Table, counted: pa.Table, now: Micros) -> dict[str, str]:
    """Content hashes, by key, of versions with ``known_at`` later than now that are not counted already."""
    known_later = pc.field("known_at") > now
    found, first = (
        list(zip(*(rows.filter(known_later)[name].to_pylist() for name in ("key", "digest")), strict=True))
        for rows in (history(versions), counted)
    )
    return dict(set(found).difference(first))


def _claimed(rows: pa.Table) -> pa.Table:
    digests = pa.array([CLAIMED] * rows.num_rows, pa.string())
    return rows.set_column(rows.column_names.index("digest"), "digest", digests)


def _touching(table: pa.Table, states: Mapping[StateKey, View]) -> set[str]:
    """The keys of records that touch one of the states in any of their versions."""
    found: set[str] = set()
    for view in dict.fromkeys(states.values()):
        of_view = (view.name, version_of(view))
        wanted = pa.array([key.entity for key in states if (key.view, key.version) == of_view], pa.string())
        touching = pc.is_in(entities_of(view, table), value_set=wanted)
        found.update(pc.unique(table["key"].filter(touching)).to_pylist())
    return found


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
        table = self._read(now) if len(keys) else None
        if table is None:
            return Rebuilt()
        named = _of_keys(table, keys)
        counted = valid_or_first_at(named, now)
        self._mark(counted)
        return replace(self.replace(self._keys(named, self.views), now), later=_later(named, counted, now))

    def materialize(self, now: Micros) -> Rebuilt:
        """Rebuild all states of the source's views. All records of the lake are marked as applied.

        Raises:
            Conflict: if concurrent writes exhausted all attempts: run it again.
        """
        table = self._read(now)
        if table is None:
            return Rebuilt()
        counted = valid_or_first_at(table, now)
        self._mark(counted)
        return replace(self.replace(self._keys(table, self.views), now), later=_later(table, counted, now))

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
        table = self._read(now)
        if table is None:
            return Rebuilt()
        keys = {key: view for key, view in self._keys(table, views).items() if part.holds(key)}
        counted = valid_or_first_at(_of_keys(table, _touching(table, keys)), now)
        self._mark(_claimed(counted))
        return self.replace(keys, now)

    def rows(self, now: Micros) -> int:
        """The number of rows that a rebuild reads."""
        table = self.lake.read(
            records_table(self.source), ["time"], Between("time", now - longest_reach(self.views), FOREVER)
        )
        return 0 if table is None else table.num_rows

    def _mark(self, rows: pa.Table) -> None:
        """Write each record's marker with the content hash of its current version; other versions are corrections."""
        columns = (rows[name].to_pylist() for name in ("key", "digest", "time", "known_at"))
        self.store.mark(
            [
                Marker(
                    marker_id(self.source.name, key),
                    digest,
                    expiry(self.source, self.views, time, known_at),
                )
                for key, digest, time, known_at in zip(*columns, strict=True)
            ]
        )

    def _keys(self, table: pa.Table, views: Sequence[View]) -> dict[StateKey, View]:
        """All states of the views that rows of the table touch."""
        return {
            state_key(view, entity): view
            for view in views
            for entity in pc.unique(entities_of(view, table)).to_pylist()
            if entity is not None
        }

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
        table = self._read(now)
        if table is None:
            return states
        table = self._counted(table, keys)
        return states | {
            key: state
            for view in dict.fromkeys(keys.values())
            for entity, state in recompute(view, table, as_of).items()
            if (key := state_key(view, entity)) in keys
        }

    def _counted(self, table: pa.Table, keys: Mapping[StateKey, View]) -> pa.Table:
        """All versions of the records that have a marker and touch one of the states in any version."""
        ids = {marker_id(self.source.name, key): key for key in _touching(table, keys)}
        return _of_keys(table, [ids[identity] for identity in read_markers(self.store, ids)])

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

    def _read(self, now: Micros) -> pa.Table | None:
        """All rows that may be in a window at ``now`` or later, and all versions that supersede them.

        ``None`` without rows, and without views: a request may wait longer than the last view of its source lives.
        """
        if not self.views:
            return None
        since = now - longest_reach(self.views)
        columns = [*dict.fromkeys(name for view in self.views for name in columns_needed(view))]
        table, schema = records_table(self.source), record_schema(self.source)
        recent = self.lake.read(table, columns, Between("time", since, FOREVER), schema=schema)
        if recent is None or not len(recent) or self.source.known_after_micros is not None:
            return recent
        # a version that moves a record out of the windows has a later known_at than the version that it supersedes
        known = Between("known_at", int(pc.min(recent["known_at"]).as_py()), FOREVER)
        return self.lake.read(table, columns, known, schema=schema)
