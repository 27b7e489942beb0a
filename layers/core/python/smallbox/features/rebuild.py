"""Online states from the lake: all of them, or those that corrected and late records touch.

A rebuild runs while the stream goes on, and the two must not count a record twice or not at all. What is rebuilt
is marked first; then the states' versions are read, then the lake, then the markers; a record counts when it has a
marker; each state is written if its version is still the same. So a record that the stream adds meanwhile changes
the version, and one without a marker is left to the stream, whose message is still on its way. Markers outlive
the windows, so no record that could count has lost its own.
A conflict begins again with what is left. A crash after the marks leaves states
behind the lake: run the request again, as a queue does.
"""

import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.define.attributes import Attributes, View
from smallbox.define.source import Source
from smallbox.errors import Conflict
from smallbox.features import facts
from smallbox.features.cells import Cells, combine
from smallbox.features.rows import Rows, columns_needed, entities_of, rows_of
from smallbox.features.states import engine_of, farthest, key_of, lifetime
from smallbox.features.stream import (
    ATTEMPTS,
    Pause,
    Rebuild,
    expiry,
    marker_id,
    read_markers,
    read_states,
)
from smallbox.features.tiles import Level, State, pruned
from smallbox.features.window import levels
from smallbox.features.writes import write_states
from smallbox.ingestion.table import FOREVER, name_of, standing
from smallbox.ports import Between, Lake, Marker, OnlineStore, StateKey, StateWrite, StoredState
from smallbox.times import Micros


def rebuild(view: View, table: pa.Table, as_of: Micros) -> dict[str, Any]:
    """The state of every entity, from the versions that counted at ``as_of``, which is their watermark.

    A key of which nothing was known then has its first version, as it has in the stream.

    Args:
        view: the view.
        table: rows of its source as the lake holds them, all that may still be in a window.
        as_of: the present, or a replay's.
    """
    if isinstance(view, Attributes):
        return _facts(view, standing(table, as_of), as_of)
    rows = rows_of(view, standing(table, as_of))
    cells = rows.lifted(view)
    names = rows.names.to_pylist()
    by_level = [_levels(rows, cells, size) for size in levels(view)]
    parts = zip(*by_level, strict=True)
    return {name: pruned(view, State(as_of, tuple(own))) for name, own in zip(names, parts, strict=True)}


def _facts(view: Attributes, table: pa.Table, as_of: Micros) -> dict[str, facts.Facts]:
    found: dict[str, list[facts.Fact]] = {}
    columns = [table[name].to_pylist() for name in ("time", "key", "known_at", *view.fields)]
    for entity, time, key, known_at, *said in zip(entities_of(view, table).to_pylist(), *columns, strict=True):
        if entity is not None:
            found.setdefault(entity, []).append(facts.Fact(time, key, known_at, tuple(said)))
    states = {entity: facts.Facts(as_of, tuple(sorted(said, key=facts.order))) for entity, said in found.items()}
    return {entity: facts.pruned(view, state) for entity, state in states.items()}


def _levels(rows: Rows, cells: Cells, size: Micros) -> list[Level]:
    """The tiles of one size, for each entity."""
    if not len(rows.time):
        return []
    tile = rows.time // size
    first = int(tile.min())
    span = int(tile.max()) - first + 1
    places, tiles = combine(cells, rows.entity * span + tile - first)
    bounds = np.searchsorted(places, np.arange(len(rows.names) + 1) * span)
    index = places % span + first
    slices = [slice(int(a), int(b)) for a, b in pairwise(bounds)]
    return [Level(index[part], tiles.take(part)) for part in slices]


@dataclass(frozen=True, slots=True)
class Part:
    """One of ``of`` parts of all entities, by a hash that is the same everywhere."""

    number: int
    of: int

    def holds(self, key: StateKey) -> bool:
        """Whether a state belongs to this part."""
        return zlib.crc32(f"{key.view} {key.entity}".encode()) % self.of == self.number


WHOLE: Final = Part(0, 1)


def _of_keys(table: pa.Table, keys: Collection[str]) -> pa.Table:
    """All versions of records."""
    return table.filter(pc.is_in(table["key"], value_set=pa.array(keys, pa.string())))


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

    def correct(self, request: Rebuild, now: Micros) -> bool:
        """Rebuild all states that the records of a request touch, in any of their versions.

        Returns:
            Whether that is all: ``False`` when a version is known only later than now; ask again then.

        Raises:
            Conflict: when others kept writing them; run the request again.
        """
        table = self._read(now)
        if table is None:
            return True
        named = _of_keys(table, list(request.digests))
        self._mark(standing(named, now))
        self._replace(self._keys(named, self.views), now)
        return not pc.any(pc.greater(named["known_at"], now)).as_py()

    def materialize(self, now: Micros) -> int:
        """Rebuild all states of the source's views. The stream then takes all that the lake holds for done.

        Returns:
            How many states were written.

        Raises:
            Conflict: when others kept writing them; run it again.
        """
        return self.fill(self.views, WHOLE, now, whole=True)

    def fill(self, views: Sequence[View], part: Part, now: Micros, *, whole: bool) -> int:
        """Rebuild some of the states of some of the views.

        Args:
            views: whose states.
            part: which of their entities.
            now: the present, or a replay's.
            whole: whether these are all views of the source. Then what the lake holds is taken for done, and the stream
                leaves it. Otherwise what the stream has still to apply to the other views is left to it, and only what
                it would find too late is marked again.

        Returns:
            How many states were written.

        Raises:
            Conflict: when others kept writing them; run it again.
        """
        table = self._read(now)
        if table is None:
            return 0
        keys = {key: view for key, view in self._keys(table, views).items() if part.holds(key)}
        mine = _of_keys(table, _touching(table, keys))
        self._mark(standing(mine, now) if whole else self._settled(mine, now))
        return self._replace(keys, now)

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
        table = self.lake.read(name_of(self.source), ["time"], Between("time", now - farthest(self.views), FOREVER))
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
            key_of(view, entity): view
            for view in views
            for entity in pc.unique(entities_of(view, table)).to_pylist()
            if entity is not None
        }

    def _replace(self, keys: Mapping[StateKey, View], now: Micros) -> int:
        left = dict(keys)
        for attempt in range(ATTEMPTS):
            if attempt:
                self.pause(attempt)
            stored = read_states(self.store, left)
            fresh = self._states(left, stored, now)
            writes = [self._write(key, view, fresh, stored) for key, view in left.items()]
            left = {key: left[key] for key in write_states(self.store, writes)}
            if not left:
                return len(keys)
        raise Conflict(f"{len(left)} states of {self.source.name} stayed contended", source=self.source.name)

    def _states(
        self, keys: Mapping[StateKey, View], stored: Mapping[StateKey, StoredState], now: Micros
    ) -> dict[StateKey, Any]:
        # a writer whose clock is ahead may have applied what is known only after our present
        as_of = max([now, *(engine_of(keys[key]).watermark_of(state.packed) for key, state in stored.items())])
        table = self._read(now)
        if table is None:
            return {}
        table = self._counted(table, keys)
        return {
            key: state
            for view in dict.fromkeys(keys.values())
            for entity, state in rebuild(view, table, as_of).items()
            if (key := key_of(view, entity)) in keys
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
        engine = engine_of(view)
        return StateWrite(key, engine.pack(view, fresh.get(key) or engine.empty(view)), expected, lifetime(view))

    def _read(self, now: Micros) -> pa.Table | None:
        """All rows that may be in a window at ``now`` or later, with every version that supersedes one of them."""
        since = now - farthest(self.views)
        columns = [*dict.fromkeys(name for view in self.views for name in columns_needed(view))]
        recent = self.lake.read(name_of(self.source), columns, Between("time", since, FOREVER))
        if recent is None or not len(recent) or self.source.known_after_micros is not None:
            return recent
        # a version that moves a record out of the windows was at least known later than the one that it supersedes
        known = Between("known_at", int(pc.min(recent["known_at"]).as_py()), FOREVER)
        return self.lake.read(name_of(self.source), columns, known)
