"""Histories of some records of a source, read without the others."""

from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.arrays import Bools, Ints
from smallbox.define.source import Source
from smallbox.lake.history import FOREVER, history
from smallbox.lake.names import records_table
from smallbox.lake.schemas import record_schema
from smallbox.lake.text_sets import TextSet, text_hashes
from smallbox.ports import Between, Lake
from smallbox.times import Micros

Hashes: TypeAlias = npt.NDArray[np.uint64]
"""Hashes of texts; see :func:`~smallbox.lake.text_sets.text_hashes`."""

_ORDER: Final = ["received_at", "digest"]
_NO_HASHES: Final = np.empty(0, np.uint64)


class PartialHistories:
    """Reads the records of a range of event time, each with all its versions.

    A correction may have moved a record in time, so its versions may be anywhere in the log. They are looked for only
    for records with more versions than the range holds. To know these, the keys of a source are read once: eight bytes
    a row. All reads are of one snapshot of the lake.

    Args:
        lake: the records.
    """

    def __init__(self, lake: Lake) -> None:
        self.lake = lake.snapshot()
        self._repeated: dict[str, tuple[Hashes, Ints]] = {}

    def between(
        self,
        source: Source,
        columns: Sequence[str],
        start: Micros,
        end: Micros,
        known_by: Micros = FOREVER - 1,
        schema: pa.Schema | None = None,
    ) -> pa.Table:
        """The :func:`~smallbox.lake.history.history` of the records with a version whose event time is in a range.

        Versions of these records with another event time are among the rows. The rows have no ``received_at`` and no
        ``digest``, which only order the versions.

        Args:
            source: the source.
            columns: the columns to read; they include ``key``, ``time``, ``known_at``, ``received_at``, ``digest``.
            start: the first event time.
            end: the end of the range, exclusive.
            known_by: only versions that became known by this moment.
            schema: the types of the columns; by default those of the source's contract.
        """
        inside, schema = Between("time", start, end), record_schema(source) if schema is None else schema
        nothing = schema.empty_table().select(columns)
        once, several = [], []
        repeated, totals = self._repeats(source)
        for rows in self.lake.slices(records_table(source), between=inside, columns=columns, schema=schema):
            is_repeated = pa.array(is_among(text_hashes(rows["key"].combine_chunks()), repeated))
            several.append(rows.filter(is_repeated))
            known = pc.less_equal(rows["known_at"], known_by)
            once.append(rows.filter(pc.and_(pc.invert(is_repeated), known)).drop_columns(_ORDER))
        alone = pa.concat_tables(once or [nothing.drop_columns(_ORDER)])
        ends = pa.array(np.full(len(alone), FOREVER, np.int64))
        here = pa.concat_tables(several or [nothing])
        keys = _elsewhere(here["key"].combine_chunks(), repeated, totals)
        parts = [here.filter(pc.less_equal(here["known_at"], known_by))]
        parts += self._outside(source, columns, inside, keys, known_by, schema) if len(keys) else []
        versions = history(pa.concat_tables(parts)).drop_columns(_ORDER)
        return pa.concat_tables([alone.append_column("superseded_at", ends), versions])

    def _repeats(self, source: Source) -> tuple[Hashes, Ints]:
        """The hashes of the keys with several rows, sorted, and the number of rows of each."""
        if source.name not in self._repeated:
            self._repeated[source.name] = repeated_hashes(self.lake.slices(records_table(source), columns=["key"]))
        return self._repeated[source.name]

    def _outside(
        self,
        source: Source,
        columns: Sequence[str],
        inside: Between,
        keys: pa.Array,
        known_by: Micros,
        schema: pa.Schema,
    ) -> list[pa.Table]:
        wanted, found = TextSet(keys), []
        for rows in self.lake.slices(records_table(source), columns=columns, schema=schema):
            is_outside = pc.or_(pc.less(rows["time"], inside.start), pc.greater_equal(rows["time"], inside.end))
            counts = pc.and_(is_outside, pc.less_equal(rows["known_at"], known_by))
            found.append(rows.filter(pc.and_(counts, wanted.holds(rows["key"].combine_chunks()))))
        return found


def _elsewhere(keys: pa.Array, repeated: Hashes, totals: Ints) -> pa.Array:
    """Those of these repeated keys that have more rows in the log than here."""
    at = np.searchsorted(repeated, text_hashes(keys))
    here = np.bincount(at, minlength=len(repeated))
    return pc.unique(keys.filter(pa.array(here[at] < totals[at])))


def is_among(hashes: Hashes, ordered: Hashes) -> Bools:
    """Whether each hash is one of those, which are sorted."""
    if not len(ordered):
        return np.zeros(len(hashes), bool)
    at = np.minimum(np.searchsorted(ordered, hashes), len(ordered) - 1)
    found: Bools = ordered[at] == hashes
    return found


def repeated_hashes(slices: Iterable[pa.Table]) -> tuple[Hashes, Ints]:
    """The hashes of the keys that several rows have, sorted, and how many rows have each; eight bytes a row."""
    hashes = np.concatenate([_NO_HASHES, *(text_hashes(rows["key"].combine_chunks()) for rows in slices)])
    hashes.sort()
    return _several(hashes)


def _several(ordered: Hashes) -> tuple[Hashes, Ints]:
    """The values that occur more than once, and how often; without an array of how often every value occurs.

    >>> [part.tolist() for part in _several(np.array([1, 3, 3, 3, 7, 8, 8], np.uint64))]
    [[3, 8], [3, 2]]
    """
    is_repeat = np.zeros(len(ordered), bool)
    np.equal(ordered[1:], ordered[:-1], out=is_repeat[1:])
    values, repeats = np.unique(ordered[is_repeat], return_counts=True)
    return values, repeats + 1
