"""The rows of a batch: as objects for the row validator, and as columns for the vectorised fast path."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
import pyarrow as pa

from smallbox.arrays import Bools, Ints

MORE_COLUMNS: Final = "(more columns than the header)"

_OFFSETS: Final = 2**31 - 1
"""Maximum bytes of text in an Arrow string array, which has 32-bit offsets."""

_ARRAYS: Final = {str: pa.string(), float: pa.float64(), int: pa.int64(), bool: pa.bool_()}


@dataclass(frozen=True, slots=True)
class RowColumns:
    """Rows of a batch as columns.

    Attributes:
        values: the requested columns that exist; a list where values have more than one type. A missing value is null.
        is_whole: mask of the rows without other columns; the column values of the other rows are undefined.
    """

    values: Mapping[str, pa.Array | list[Any]]
    is_whole: Bools


class UncheckedRows(Protocol):
    """Rows that are not validated yet."""

    def __len__(self) -> int:
        """The number of rows."""

    def __iter__(self) -> Iterator[Any]:
        """Each row as an object for the row validator."""

    def at(self, positions: Ints) -> list[Any]:
        """The rows at these positions."""

    def columns(self, names: Sequence[str]) -> RowColumns | None:
        """The rows as columns with these names; ``None`` when every row has other columns, or they are too large."""


class ListedRows(list[Any]):
    """Rows as a list of objects."""

    def at(self, positions: Ints) -> list[Any]:
        """The rows at these positions."""
        return [self[position] for position in positions]

    def columns(self, names: Sequence[str]) -> RowColumns | None:
        """The rows as columns."""
        known = frozenset(names)
        is_whole = np.fromiter((type(row) is dict and known.issuperset(row) for row in self), bool, len(self))
        rows = self if is_whole.all() else [row if whole else {} for row, whole in zip(self, is_whole, strict=True)]
        return RowColumns({name: array_of([row.get(name) for row in rows]) for name in names}, is_whole)


class TextRows:
    """Rows of texts under a header, as in a CSV file.

    Args:
        header: the column names.
        readers: the converter from text to value for each column.
        rows: the texts of each row; may be more or fewer than the columns.
    """

    def __init__(
        self, header: Sequence[str], readers: Sequence[Callable[[str], Any]], rows: Sequence[Sequence[str]]
    ) -> None:
        self._header = header
        self._readers = readers
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Any]:
        return map(self._row, self._rows)

    def at(self, positions: Ints) -> list[Any]:
        """The rows at these positions."""
        return [self._row(self._rows[position]) for position in positions]

    def columns(self, names: Sequence[str]) -> RowColumns | None:
        """The rows as columns."""
        width = len(self._header)
        if not set(names).issuperset(self._header):
            return None
        sizes = np.fromiter(map(len, self._rows), np.int64, len(self._rows))
        rows = self._rows if (sizes == width).all() else [_padded(row, width) for row in self._rows]
        columns = zip(self._header, self._readers, zip(*rows, strict=True), strict=True)
        return RowColumns({name: array_of(list(map(read, texts))) for name, read, texts in columns}, sizes <= width)

    def _row(self, texts: Sequence[str]) -> dict[str, Any]:
        width = len(self._header)
        found: dict[str, Any] = dict.fromkeys(self._header)
        found |= {name: read(text) for name, read, text in zip(self._header, self._readers, texts, strict=False)}
        return found if len(texts) <= width else found | {MORE_COLUMNS: texts[width:]}


def _padded(texts: Sequence[str], width: int) -> Sequence[str]:
    # readers convert an empty text to null, so padding means null
    return [*texts[:width], *[""] * (width - len(texts))]


class TableRows:
    """Rows of an Arrow table."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    def __len__(self) -> int:
        return len(self._table)

    def __iter__(self) -> Iterator[Any]:
        return iter(_objects(self._table))

    def at(self, positions: Ints) -> list[Any]:
        """The rows at these positions."""
        return _objects(self._table if len(positions) == len(self) else self._table.take(pa.array(positions)))

    def columns(self, names: Sequence[str]) -> RowColumns | None:
        """The rows as columns."""
        found = self._table.column_names
        is_large = self._table.nbytes > _OFFSETS
        if is_large or not set(names).issuperset(found):
            return None
        columns = {name: _flat(column) for name, column in zip(found, self._table.columns, strict=True)}
        return RowColumns(columns, np.ones(len(self), bool))


def _flat(column: pa.ChunkedArray) -> pa.Array:
    """The column as one array, without dictionary encoding, texts as ``string`` instead of ``large_string``."""
    whole = column.combine_chunks()
    if pa.types.is_dictionary(whole.type):
        whole = whole.dictionary_decode()
    return whole.cast(pa.string()) if pa.types.is_large_string(whole.type) else whole


def _objects(table: pa.Table) -> list[Any]:
    columns = [column.to_pylist() for column in table.columns]
    return [dict(zip(table.column_names, row, strict=True)) for row in zip(*columns, strict=True)]


def array_of(values: list[Any]) -> pa.Array | list[Any]:
    """Convert the values to an array if they all have one supported type; otherwise return them unchanged.

    >>> array_of([1, None]).type, array_of([1, True])
    (DataType(int64), [1, True])
    """
    kinds = set(map(type, values)) - {type(None)}
    if len(kinds) != 1 or not kinds <= _ARRAYS.keys():
        return values
    try:
        return pa.array(values, _ARRAYS[kinds.pop()])
    except (OverflowError, UnicodeEncodeError):
        return values
