"""The table ``current`` of a source: one row per key, the valid version, updated incrementally.

It equals ``valid_at`` of the log, without reading the whole log. Each run merges the rows that were appended since the
last run, and the rows that became known since. Each commit records its progress in the table, so a run that was killed
can be run again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.arrays import Bools
from smallbox.define.source import RESERVED, Source
from smallbox.lake.history import valid_at
from smallbox.lake.names import current_table, records_table
from smallbox.lake.schemas import record_schema
from smallbox.ports import Between, Lake, TableProgress
from smallbox.times import Micros

_START: Final = TableProgress(version=-1, as_of=0)
_ORDERING: Final = [name for name in RESERVED if name != "time"]


@dataclass(frozen=True, slots=True)
class CurrentState:
    """The state of a table ``current`` after a run.

    Attributes:
        as_of: the table holds what was known at this moment.
        written: how many rows the run wrote; a row that changed twice counts twice.
    """

    as_of: Micros
    written: int


def bring_forward(source: Source, lake: Lake, as_of: Micros) -> CurrentState | None:
    """Update ``current`` to ``as_of``; ``None`` when the source has no records yet.

    It never goes back: a moment before the table's own changes nothing. It is idempotent: running it again, also after
    a kill between two commits, gives the same rows.

    Raises:
        Conflict: when another run has written the table at the same time.
    """
    version = lake.version(records_table(source))
    if version is None:
        return None
    last = lake.progress(current_table(source)) or _START
    target = TableProgress(version, as_of)
    if as_of < last.as_of or target == last:
        return CurrentState(last.as_of, 0)
    return CurrentState(as_of, _Merge(source, lake, as_of).run(last, target))


class _Merge:
    """One run for one source."""

    def __init__(self, source: Source, lake: Lake, as_of: Micros) -> None:
        self._source = source
        self._log = records_table(source)
        self._lake = lake
        self._as_of = as_of

    def run(self, last: TableProgress, target: TableProgress) -> int:
        """Merge slice by slice; only the commit of the last slice records the target as reached.

        Every earlier commit records where the next run must start if this one is killed: at the whole log while rows
        that became known are not merged yet, then at the appended rows.
        """
        steps = (
            (self._came_due(last), TableProgress(_START.version, self._as_of)),
            (self._lake.slices(self._log, after=last.version), TableProgress(last.version, self._as_of)),
        )
        written, held = 0, record_schema(self._source).empty_table()
        for slices, unfinished in steps:
            for rows in slices:
                written += self._merge(held, unfinished)
                held = rows
        return written + self._merge(held, target, is_last=True)

    def _came_due(self, last: TableProgress) -> Iterator[pa.Table]:
        if last.version > _START.version:
            yield from self._lake.slices(self._log, between=Between("known_at", last.as_of + 1, self._as_of + 1))

    def _merge(self, rows: pa.Table, progress: TableProgress, *, is_last: bool = False) -> int:
        counting = self._counting(valid_at(rows, self._as_of), rows["key"])
        if counting.num_rows or is_last:
            self._lake.upsert(current_table(self._source), counting, progress)
        written: int = counting.num_rows
        return written

    def _counting(self, candidates: pa.Table, keys: pa.ChunkedArray) -> pa.Table:
        """The rows to write, one per key; ``keys`` are those of all rows that the candidates were chosen from."""
        if not candidates.num_rows:
            return candidates
        standing = self._lake.read(current_table(self._source), _ORDERING, keys=candidates["key"])
        if standing is None or not standing.num_rows:
            return candidates
        is_newer, is_tied = compare(candidates, standing, occurs_once(candidates["key"], keys))
        tied = candidates.filter(pa.array(is_tied))
        return pa.concat_tables([candidates.filter(pa.array(is_newer)), self._decided(tied)], promote_options="default")

    def _decided(self, tied: pa.Table) -> pa.Table:
        """The valid version of keys that the two rows do not decide: the log has the order of their receipt."""
        if not tied.num_rows:
            return tied
        span = pc.min_max(tied["known_at"]).as_py()
        between = Between("known_at", span["min"], span["max"] + 1)
        rows = self._lake.read(self._log, None, between, keys=tied["key"])
        return tied if rows is None else valid_at(rows, self._as_of)


def occurs_once(asked: pa.ChunkedArray, keys: pa.ChunkedArray) -> Bools:
    """Which of the asked keys occur once among others.

    >>> occurs_once(pa.chunked_array([["a", "b"]]), pa.chunked_array([["a", "b", "b"]])).tolist()
    [True, False]
    """
    counts = pc.value_counts(keys)
    at = pc.index_in(asked.combine_chunks(), value_set=counts.field("values"))
    return np.asarray(pc.equal(counts.field("counts").take(at), 1))


def compare(candidates: pa.Table, standing: pa.Table, is_single: Bools) -> tuple[Bools, Bools]:
    """Which candidates replace the row of their key in the table, and which need the log to decide.

    The later ``known_at`` wins. At an equal one, the version received first comes first, and a repeated version changes
    nothing. But a version that looks new may be an old one that was corrected since, and a repeated version may hide
    another one that was appended with it: only the log can tell.

    Args:
        candidates: one row a key.
        standing: one row a key, of some of these keys and others.
        is_single: which candidates were not chosen from several versions.

    Returns:
        Two masks over the candidates: newer, and undecided.
    """
    at = pc.index_in(candidates["key"], value_set=standing["key"].combine_chunks())
    is_new = np.asarray(pc.is_null(at))
    rows = standing.take(pc.fill_null(at, 0))
    gain = candidates["known_at"].to_numpy() - rows["known_at"].to_numpy()
    is_alike = np.asarray(pc.equal(candidates["digest"], rows["digest"]))
    is_repeated = is_alike & is_single & (candidates["received_at"].to_numpy() >= rows["received_at"].to_numpy())
    return is_new | (gain > 0), ~is_new & (gain == 0) & ~is_repeated
