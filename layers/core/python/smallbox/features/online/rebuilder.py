"""Online states from the lake: all of them, or those that corrected and late records touch.

A rebuild runs while the stream goes on, and the two must not count a record twice or not at all. What is rebuilt
is marked first; then the states' versions are read, then the lake, then the markers; a record counts when it has a
marker; each state is written if its version is still the same. So a record that the stream adds meanwhile changes
the version, and one without a marker is left to the stream, whose message is still on its way. Markers outlive
the windows, so no record that could count has lost its own.
A conflict begins again with what is left. A crash after the marks leaves states
behind the lake: run the request again, as a queue does. A state that does not fit into an item is set aside, and
holds up no other.
"""

import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from smallbox.define.attributes import View
from smallbox.define.source import Source
from smallbox.errors import Conflict
from smallbox.features.batch_engines import columns_needed
from smallbox.features.columns import entities_of
from smallbox.features.engines import state_engine_of
from smallbox.features.online.apply import WRITE_ATTEMPTS, Pause, expiry, marker_id, read_markers, read_states
from smallbox.features.online.recompute import recompute
from smallbox.features.online.states import (
    SetAside,
    farthest,
    fits,
    is_set_aside,
    lifetime,
    pack_state,
    state_key,
    state_watermark,
)
from smallbox.features.online.writes import write_states
from smallbox.lake.history import FOREVER, history, standing
from smallbox.lake.names import records_table
from smallbox.ports import Between, Lake, Marker, OnlineStore, StateKey, StateWrite, StoredState
from smallbox.times import Micros


@dataclass(frozen=True, slots=True)
class EntityShard:
    """One of ``of`` parts of all entities, by a hash that is the same everywhere."""

    number: int
    of: int

    def holds(self, key: StateKey) -> bool:
        """Whether a state belongs to this part."""
        return zlib.crc32(f"{key.view} {key.entity}".encode()) % self.of == self.number


WHOLE: Final = EntityShard(0, 1)


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild has done.

    Attributes:
        states: how many states were written.
        set_aside: those of them that do not fit into their items.
        later: what corrections say that are known only later than now, by key; ask again then.
    """

    states: int = 0
    set_aside: Sequence[StateKey] = ()
    later: Mapping[str, str] = field(default_factory=dict)


def _of_keys(table: pa.Table, keys: Collection[str] | pa.Array) -> pa.Table:
    """All versions of records."""
    return table.filter(pc.is_in(table["key"], value_set=pa.array(keys, pa.string())))


def _later(versions: pa.Table, counted: pa.Table, now: Micros) -> dict[str, str]:
    """The digests of versions known only later than now that are not counted already, by key."""
    known_later = pc.field("known_at") > now
    found, first = (
        list(zip(*(rows.filter(known_later)[name].to_pylist() for name in ("key", "digest")), strict=True))
        for rows in (history(versions), counted)
    )
    return dict(set(found).difference(first))


def _touching(table: pa.Table, states: Mapping[StateKey, View]) -> set[str]:
    """The keys of records that touch one of the states in any of their versions."""
    found: set[str] = set()
    for view in dict.fromkeys(states.values()):
        wanted = pa.array([key.entity for key in states if key.view == view.name], pa.string())
        touching = pc.is_in(entities_of(view, table), value_set=wanted)
        found.update(pc.unique(table["key"].filter(touching)).to_pylist())
    return found


@dataclass(frozen=True, slots=True)
class Rebuilder:
    """Writes the online states of one source's views from the lake.

    Attributes:
        source: the source whose views are written.
        views: all views of the source: a record is marked for all of them at once.
        lake: holds every record before the stream applies it.
        store: the states.
        pause: waits before another attempt.
    """

    source: Source
    views: Sequence[View]
    lake: Lake
    store: OnlineStore
    pause: Pause

    def correct(self, keys: Collection[str] | pa.Array, now: Micros) -> Rebuilt:
        """Rebuild all states that the records with these keys touch, in any of their versions.

        Raises:
            Conflict: when others kept writing them; run the request again.
        """
        table = self._read(now) if len(keys) else None
        if table is None:
            return Rebuilt()
        named = _of_keys(table, keys)
        counted = standing(named, now)
        self._mark(counted)
        return replace(self.replace(self._keys(named, self.views), now), later=_later(named, counted, now))

    def materialize(self, now: Micros) -> Rebuilt:
        """Rebuild all states of the source's views. The stream then takes all that the lake holds for done.

        Raises:
            Conflict: when others kept writing them; run it again.
        """
        return self.fill(self.views, WHOLE, now, whole=True)

    def fill(self, views: Sequence[View], part: EntityShard, now: Micros, *, whole: bool) -> Rebuilt:
        """Rebuild some of the states of some of the views.

        Args:
            views: whose states.
            part: which of their entities.
            now: the present, or a replay's.
            whole: whether these are all views of the source. Then what the lake holds is taken for done, and the stream
                leaves it. Otherwise what the stream has still to apply to the other views is left to it, and only what
                it would find too late is marked again.

        Raises:
            Conflict: when others kept writing them; run it again.
        """
        table = self._read(now)
        if table is None:
            return Rebuilt()
        keys = {key: view for key, view in self._keys(table, views).items() if part.holds(key)}
        mine = _of_keys(table, _touching(table, keys))
        counted = standing(mine, now) if whole else self._settled(mine, now)
        self._mark(counted)
        return replace(self.replace(keys, now), later=_later(mine, counted, now) if whole else {})

    def _settled(self, rows: pa.Table, now: Micros) -> pa.Table:
        """Of records that the stream would find too late, what they said then, without its digest.

        It has forgotten them, or they are late and still on their way to it, or they have a marker that lives no longer
        than the windows before. So their new marker says that they count, and equals nothing: should one of them
        come, in whatever version, a rebuild looks at all its views.
        """
        settled = now - self.source.lateness_micros
        found = standing(rows.filter(pc.less(rows["known_at"], settled)), settled)
        nothing = pa.array([""] * found.num_rows, pa.string())
        return found.set_column(found.column_names.index("digest"), "digest", nothing)

    def rows(self, now: Micros) -> int:
        """How many rows a rebuild reads."""
        table = self.lake.read(
            records_table(self.source), ["time"], Between("time", now - farthest(self.views), FOREVER)
        )
        return 0 if table is None else table.num_rows

    def _mark(self, rows: pa.Table) -> None:
        """Mark each record as saying what its version says that counts, so that another version is a correction."""
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
        """Every state of the views that rows of the table touch."""
        return {
            state_key(view, entity): view
            for view in views
            for entity in pc.unique(entities_of(view, table)).to_pylist()
            if entity is not None
        }

    def replace(self, keys: Mapping[StateKey, View], now: Micros) -> Rebuilt:
        """Write states anew from the lake, of records that have their markers.

        Raises:
            Conflict: when others kept writing them; run it again.
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
        raise Conflict(f"{len(left)} states of {self.source.name} stayed contended", source=self.source.name)

    def _states(
        self, keys: Mapping[StateKey, View], stored: Mapping[StateKey, StoredState], now: Micros
    ) -> dict[StateKey, Any]:
        # a writer whose clock is ahead may have applied what is known only after our present
        as_of = max([now, *(state_watermark(keys[key], state.packed) for key, state in stored.items())])
        table = self._read(now)
        if table is None:
            return {}
        table = self._counted(table, keys)
        return {
            key: state
            for view in dict.fromkeys(keys.values())
            for entity, state in recompute(view, table, as_of).items()
            if (key := state_key(view, entity)) in keys
        }

    def _counted(self, table: pa.Table, keys: Mapping[StateKey, View]) -> pa.Table:
        """All versions of those records that have a marker and, in any version, touch one of the states."""
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
        state = fresh.get(key) or state_engine_of(view).empty(view)
        packed = pack_state(view, state)
        if not fits(packed):
            packed = pack_state(view, SetAside(state.watermark))
        return StateWrite(key, packed, expected, lifetime(view))

    def _read(self, now: Micros) -> pa.Table | None:
        """All rows that may be in a window at ``now`` or later, with every version that supersedes one of them."""
        since = now - farthest(self.views)
        columns = [*dict.fromkeys(name for view in self.views for name in columns_needed(view))]
        recent = self.lake.read(records_table(self.source), columns, Between("time", since, FOREVER))
        if recent is None or not len(recent) or self.source.known_after_micros is not None:
            return recent
        # a version that moves a record out of the windows was at least known later than the one that it supersedes
        known = Between("known_at", int(pc.min(recent["known_at"]).as_py()), FOREVER)
        return self.lake.read(records_table(self.source), columns, known)
