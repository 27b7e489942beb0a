"""The table ``current`` of a source: exactly one row a key, the version that counts, brought forward step by step.

It is ``latest`` of the log, made without reading the log again. What is merged is what came since the last time: rows
that were appended since, and rows that were there already and have become known since. Each commit of the table carries
how far it has come, so that a run that was killed is simply run again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.arrays import Bools
from smallbox.define.source import RESERVED, Source
from smallbox.lake.history import latest
from smallbox.lake.names import current_table, records_table
from smallbox.lake.schemas import record_schema
from smallbox.ports import Between, Lake, TableProgress
from smallbox.times import Micros

_START: Final = TableProgress(version=-1, as_of=0)
_ORDERING: Final = [name for name in RESERVED if name != "time"]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a table ``current`` stands.

    Attributes:
        as_of: the moment whose knowledge it holds.
        written: rows that this run has written, a row that changed twice counted twice.
    """

    as_of: Micros
    written: int


def bring_forward(source: Source, lake: Lake, as_of: Micros) -> Standing | None:
    """Bring ``current`` to ``as_of``; ``None`` when the source has no records yet.

    It never goes back: for a moment before the one it stands at nothing is done. Running again, after a kill between
    any two commits too, ends at the same rows.

    Raises:
        Conflict: when another run has written the table at the same time.
    """
    version = lake.version(records_table(source))
    if version is None:
        return None
    last = lake.progress(current_table(source)) or _START
    target = TableProgress(version, as_of)
    if as_of < last.as_of or target == last:
        return Standing(last.as_of, 0)
    return Standing(as_of, _Merge(source, lake, as_of).run(last, target))


class _Merge:
    """One run for one source."""

    def __init__(self, source: Source, lake: Lake, as_of: Micros) -> None:
        self._source = source
        self._log = records_table(source)
        self._lake = lake
        self._as_of = as_of

    def run(self, last: TableProgress, target: TableProgress) -> int:
        """Merge slice by slice; only the commit of the last one says that the table has come to the target.

        Until then a commit says where the next run must begin if this one is killed: with the whole log while rows that
        became known are outstanding, with what was appended when only that is.
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
        counting = self._counting(latest(rows, self._as_of))
        if counting.num_rows or is_last:
            self._lake.upsert(current_table(self._source), counting, progress)
        written: int = counting.num_rows
        return written

    def _counting(self, candidates: pa.Table) -> pa.Table:
        """What must be written for these rows, one a key."""
        if not candidates.num_rows:
            return candidates
        standing = self._lake.read(current_table(self._source), _ORDERING, keys=candidates["key"])
        if standing is None or not standing.num_rows:
            return candidates
        is_newer, is_tied = compare(candidates, standing)
        tied = candidates.filter(pa.array(is_tied))
        return pa.concat_tables([candidates.filter(pa.array(is_newer)), self._decided(tied)], promote_options="default")

    def _decided(self, tied: pa.Table) -> pa.Table:
        """The version that counts of keys that one row more does not decide: the log tells which was received first."""
        if not tied.num_rows:
            return tied
        span = pc.min_max(tied["known_at"]).as_py()
        between = Between("known_at", span["min"], span["max"] + 1)
        rows = self._lake.read(self._log, None, between, keys=tied["key"])
        return tied if rows is None else latest(rows, self._as_of)


def compare(candidates: pa.Table, standing: pa.Table) -> tuple[Bools, Bools]:
    """Which candidates count instead of the row that stands for their key, and which the two rows do not decide.

    A later ``known_at`` counts. At an equal one, the version that was received first comes first, and repeating a
    version changes nothing; but a version that looks new may have been said before, and then been corrected. Only the
    log knows.

    Args:
        candidates: one row a key.
        standing: one row a key, of some of these keys and others.

    Returns:
        Two masks over the candidates: newer, and undecided.
    """
    at = pc.index_in(candidates["key"], value_set=standing["key"].combine_chunks())
    is_new = np.asarray(pc.is_null(at))
    rows = standing.take(pc.fill_null(at, 0))
    gain = candidates["known_at"].to_numpy() - rows["known_at"].to_numpy()
    is_alike = np.asarray(pc.equal(candidates["digest"], rows["digest"]))
    is_repeated = is_alike & (candidates["received_at"].to_numpy() >= rows["received_at"].to_numpy())
    return is_new | (gain > 0), ~is_new & (gain == 0) & ~is_repeated
