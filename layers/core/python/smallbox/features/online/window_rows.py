"""The rows of a source that a rebuild reads, in parts, so that memory holds one part."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from smallbox.define.attributes import View
from smallbox.define.source import Source
from smallbox.features.batch_engines import RESERVED_COLUMNS, columns_needed
from smallbox.features.columns import entities_of
from smallbox.features.online.states import longest_reach, state_key, version_of
from smallbox.lake.history import FOREVER
from smallbox.lake.names import records_table
from smallbox.lake.partial_histories import Hashes, is_among, repeated_hashes
from smallbox.lake.schemas import record_schema
from smallbox.lake.text_sets import TextSet, text_hashes
from smallbox.ports import Between, Lake, StateKey
from smallbox.times import Micros

ROWS_PER_REBUILD: Final = 400_000
"""About how many rows of records are held at once; the states of one entity need all of its rows."""


class WindowRows:
    """All rows that may be in a window at a moment or later, and all versions that supersede them.

    All reads are of one snapshot of the lake.

    Args:
        source: the source.
        views: its views; without any there are no rows.
        lake: the records.
        now: the moment.
        most: about how many rows to hold at once.
    """

    def __init__(
        self, source: Source, views: Sequence[View], lake: Lake, now: Micros, most: int = ROWS_PER_REBUILD
    ) -> None:
        self._source, self._views, self._most = source, views, most
        needed = (name for view in views for name in columns_needed(view))
        self._columns = list(dict.fromkeys([*RESERVED_COLUMNS, *needed]))
        self._lake, self._table = lake.snapshot(), records_table(source)
        self._between = Between("time", now - longest_reach(views), FOREVER)
        if views and source.known_after_micros is None:
            # a version that moves a record out of the windows has a later known_at than the version that it supersedes
            known = [pc.min(rows["known_at"]).as_py() for rows in self._slices(["known_at"])]
            self._between = Between("known_at", min(known, default=FOREVER), FOREVER)

    def _slices(self, columns: Sequence[str]) -> Iterator[pa.Table]:
        if not self._views:
            return iter(())
        schema = record_schema(self._source)
        return self._lake.slices(self._table, between=self._between, columns=columns, schema=schema)

    def _where(self, keep: Callable[[pa.Table], pa.Array]) -> pa.Table:
        """The rows that a filter keeps, with the columns that the views need."""
        parts = [rows.filter(keep(rows)) for rows in self._slices(self._columns)]
        return pa.concat_tables(parts or [record_schema(self._source).empty_table().select(self._columns)])

    def count(self) -> int:
        """The number of rows."""
        return sum(rows.num_rows for rows in self._slices(["time"]))

    def of_keys(self, keys: pa.Array) -> pa.Table:
        """All versions of the records with these keys."""
        wanted = TextSet(keys)
        return self._where(lambda rows: wanted.holds(rows["key"].combine_chunks()))

    def parts_of(self, keys: pa.Array) -> Iterator[pa.Table]:
        """The rows of these keys in parts; all versions of a record are in one part."""
        return (self.of_keys(keys[at : at + self._most]) for at in range(0, len(keys), self._most))

    def parts(self) -> Iterator[pa.Table]:
        """All rows in parts; all versions of a record are in one part."""
        repeated, totals = repeated_hashes(self._slices(["key"]))
        for rows in self._slices(self._columns):
            hashes = text_hashes(rows["key"].combine_chunks())
            yield rows.filter(pa.array(~is_among(hashes, repeated)))
        shards = -(-int(totals.sum()) // self._most)
        for shard in range(shards):
            some = repeated[shard::shards]
            yield self._where(partial(_has_hash, some))

    def states(self, views: Sequence[View], holds: Callable[[StateKey], bool] = lambda _: True) -> dict[StateKey, View]:
        """The states of these views that rows touch, those that a condition holds for."""
        found: dict[StateKey, View] = {}
        columns = list(dict.fromkeys(name for view in views for name in view.entity_fields))
        for rows in self._slices(columns):
            found |= {key: view for key, view in touched(rows, views).items() if holds(key)}
        return found

    def keys_touching(self, states: Mapping[StateKey, View]) -> pa.Array:
        """The keys of records that touch one of the states in any of their versions."""
        wanted = [(view, TextSet(names)) for view, names in _entities(states).items()]
        columns = list(dict.fromkeys(["key", *(name for view, _ in wanted for name in view.entity_fields)]))
        found = [
            pc.unique(rows["key"].filter(names.holds(entities_of(view, rows))))
            for rows in self._slices(columns)
            for view, names in wanted
        ]
        return pc.unique(pa.chunked_array(found, pa.string()))

    def split(self, states: Mapping[StateKey, View]) -> list[dict[StateKey, View]]:
        """The states in groups, each of about as many rows as are held at once; at least one group."""
        if self.count() <= self._most:
            return [dict(states)]
        rows = self._rows_by_state(states)
        groups: list[dict[StateKey, View]] = [{}]
        held = 0
        for key, view in states.items():
            if groups[-1] and held + rows[key] > self._most:
                groups.append({})
                held = 0
            groups[-1][key] = view
            held += rows[key]
        return groups

    def _rows_by_state(self, states: Mapping[StateKey, View]) -> Counter[StateKey]:
        counts = Counter[StateKey]()
        views = list(dict.fromkeys(states.values()))
        columns = list(dict.fromkeys(name for view in views for name in view.entity_fields))
        for rows in self._slices(columns):
            for view in views:
                for one in pc.value_counts(entities_of(view, rows)).to_pylist():
                    if one["values"] is not None and (key := state_key(view, one["values"])) in states:
                        counts[key] += one["counts"]
        return counts


def _has_hash(hashes: Hashes, rows: pa.Table) -> pa.Array:
    return pa.array(is_among(text_hashes(rows["key"].combine_chunks()), hashes))


def touched(rows: pa.Table, views: Collection[View]) -> dict[StateKey, View]:
    """All states of the views that rows touch."""
    return {
        state_key(view, entity): view
        for view in views
        for entity in pc.unique(entities_of(view, rows)).to_pylist()
        if entity is not None
    }


def _entities(states: Mapping[StateKey, View]) -> dict[View, pa.Array]:
    """By view the entities of its states."""
    found: dict[View, list[str]] = {view: [] for view in states.values()}
    by_id = {(view.name, version_of(view)): view for view in found}
    for key in states:
        found[by_id[key.view, key.version]].append(key.entity)
    return {view: pa.array(names, pa.string()) for view, names in found.items()}
