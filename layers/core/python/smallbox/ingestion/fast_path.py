"""Vectorised fast path of validation: checks a batch column by column; the row validator decides the rest.

The row validator in :mod:`.contract` is the only authority. It alone rejects a row, and it alone handles special cases
such as a key that occurs twice in the batch. A column check only finds values that the row validator would accept for
certain, and converts them in the same way.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.arrays import Bools, Ints
from smallbox.define.fields import Field
from smallbox.define.patterns import TEXT_LIMIT
from smallbox.define.source import FAR_AHEAD, FUTURE_LIMIT, LONG_AGO, Source
from smallbox.ingestion.contract import check_numbered
from smallbox.ingestion.field_checks import Broken, bounds, test_of
from smallbox.ingestion.unchecked_rows import UncheckedRows
from smallbox.lake.digests import digests
from smallbox.lake.schemas import ARROW_TYPES, record_schema, records_to_table
from smallbox.records import Record, Rejection
from smallbox.times import FIRST, LAST, Micros

CheckedColumn = tuple[pa.Array, Bools]
"""A column's normalised values, and a mask of those that are certainly valid; the other values are undefined."""

_WORD: Final = np.iinfo(np.int64)


@dataclass(frozen=True, slots=True)
class CheckedRows:
    """The valid rows of a batch, and why the others are rejected.

    Attributes:
        values: the normalised values, a column for each field of the source, in the order of the rows.
        numbers: the number of each valid row in its file.
        rejections: the rejected rows.
    """

    values: pa.Table
    numbers: Ints
    rejections: list[Rejection]


def accept(source: Source, rows: UncheckedRows, received_at: Micros, first: int) -> tuple[pa.Table, list[Rejection]]:
    """Validate a batch: the accepted rows as a table of the lake, and the rejections.

    The result is the same as of ``check_all`` and ``records_to_table``, in the same order of rows.

    Args:
        source: the source with the contract.
        rows: the rows of one batch.
        received_at: when they were received, microseconds.
        first: the number of the first row in its file.
    """
    columns, is_good = _fast_path(source, rows, received_at)
    table = _table(source, columns, received_at) if is_good.any() else record_schema(source).empty_table()
    records, rejections = _others(source, rows, is_good, received_at, first)
    if not records:
        return table, rejections
    both = pa.concat_tables([table, records_to_table(source, list(records.values()))])
    return both.take(pa.array(np.argsort(_numbers(is_good, records, first), kind="stable"))), rejections


def check_columns(source: Source, rows: UncheckedRows, received_at: Micros, first: int) -> CheckedRows:
    """Validate a batch as :func:`accept` does, for rows that are not written to the source's table: without digests."""
    columns, is_good = _fast_path(source, rows, received_at)
    schema = pa.schema([(name, ARROW_TYPES[field.type]) for name, field in source.fields.items()])
    table = pa.table(columns, schema=schema)
    records, rejections = _others(source, rows, is_good, received_at, first)
    numbers = _numbers(is_good, records, first)
    if records:
        values = [record.values for record in records.values()]
        others = {name: pa.array([one[name] for one in values], schema.field(name).type) for name in source.fields}
        order = np.argsort(numbers, kind="stable")
        table = pa.concat_tables([table, pa.table(others, schema=schema)]).take(pa.array(order))
        numbers = numbers[order]
    return CheckedRows(table, numbers, rejections)


def _others(
    source: Source, rows: UncheckedRows, is_good: Bools, received_at: Micros, first: int
) -> tuple[dict[int, Record], list[Rejection]]:
    """What the row validator says of the rows that the fast path leaves: records by number, and rejections."""
    others = np.flatnonzero(~is_good)
    if not len(others):
        return {}, []
    numbered = zip(others.tolist(), rows.at(others), strict=True)
    return check_numbered(source, ((first + at, raw) for at, raw in numbered), received_at)


def _numbers(is_good: Bools, records: Mapping[int, Record], first: int) -> Ints:
    """The numbers of the rows of the fast path, then those of the records."""
    return np.concatenate((np.flatnonzero(is_good) + first, np.array(list(records), np.int64)))


def _fast_path(source: Source, rows: UncheckedRows, received_at: Micros) -> tuple[dict[str, pa.Array], Bools]:
    """The values of the rows that are certainly valid, by field, and the mask of these rows."""
    limits = _time_limits(source, received_at)
    found = None if limits is None else rows.columns(tuple(source.fields))
    if limits is None or found is None or not len(rows):
        nothing = {name: pa.array([], ARROW_TYPES[field.type]) for name, field in source.fields.items()}
        return nothing, np.zeros(len(rows), bool)
    columns, is_good = {}, found.is_whole
    for name, field in source.fields.items():
        columns[name], fits = _checked(field, found.values.get(name, [None] * len(rows)))
        is_good = is_good & fits
    time = columns[source.time].fill_null(_WORD.min).to_numpy()
    is_good &= (limits[0] <= time) & (time <= limits[1]) & _is_unique(columns[source.key])
    if not is_good.all():
        columns = {name: column.filter(pa.array(is_good)) for name, column in columns.items()}
    return columns, is_good


def _time_limits(source: Source, received_at: Micros) -> tuple[Micros, Micros] | None:
    """Minimum and maximum of a valid event time; ``None`` when the range does not fit into 64 bits."""
    after = source.known_after_micros
    most = received_at + (FAR_AHEAD if after is None else min(FAR_AHEAD, FUTURE_LIMIT - after))
    reached = (LONG_AGO, most, *(() if after is None else (LONG_AGO + after, most + after)))
    return (LONG_AGO, most) if all(_WORD.min <= moment <= _WORD.max for moment in reached) else None


def _is_unique(keys: pa.Array) -> Bools:
    """Mask of the rows whose key is not empty and occurs only once in the batch."""
    codes = keys.fill_null("").dictionary_encode()
    counts = np.bincount(codes.indices.to_numpy(), minlength=len(codes.dictionary))
    fits = (counts == 1) & _flags(pc.not_equal(codes.dictionary, ""))
    is_unique: Bools = fits[codes.indices.to_numpy()]
    return is_unique


def _table(source: Source, columns: dict[str, pa.Array], received_at: Micros) -> pa.Table:
    time = columns[source.time]
    received = pa.array(np.full(len(time), received_at, np.int64))
    known = received if source.known_after_micros is None else pc.add(time, source.known_after_micros)
    reserved = [columns[source.key], time, known, received, digests(source.name, columns)]
    return pa.table([*reserved, *columns.values()], schema=record_schema(source))


def _checked(field: Field, values: pa.Array | list[Any]) -> CheckedColumn:
    column = None if isinstance(values, list) else _CHECKS[field.type](field, values)
    return column or _one_by_one(field, values if isinstance(values, list) else values.to_pylist())


def _one_by_one(field: Field, values: Iterable[Any]) -> CheckedColumn:
    """Check a column value by value, with the row validator's test."""
    test, good, taken = test_of(field), [], []
    for value in values:
        try:
            taken.append(None if value is None else test(value))
            good.append(value is not None or field.nullable)
        except Broken:
            taken.append(None)
            good.append(False)
    return pa.array(taken, ARROW_TYPES[field.type]), np.array(good, bool)


def _text_check(field: Field, column: pa.Array) -> CheckedColumn | None:
    if not pa.types.is_string(column.type):
        return None
    if field.pattern or field.choices:
        distinct = column.dictionary_encode()
        _, fits = _one_by_one(field, distinct.dictionary.to_pylist())
        return column, _with_nulls(field, column, np.append(fits, False)[distinct.indices.fill_null(-1).to_numpy()])
    return column, _with_nulls(field, column, _flags(pc.less_equal(pc.utf8_length(column), TEXT_LIMIT)))


def _number_check(field: Field, column: pa.Array) -> CheckedColumn | None:
    found = _within(field, column)
    if found is None:
        return None
    numbers, fits = found
    # adding 0.0 turns -0.0 into 0.0
    return pa.array(numbers + 0.0, mask=_nulls(column)), _with_nulls(field, column, fits)


def _integer_check(field: Field, column: pa.Array) -> CheckedColumn | None:
    found = _within(field, column)
    if found is None:
        return None
    numbers, fits = found
    fits &= numbers == np.floor(numbers)
    whole = np.where(fits, numbers, 0).astype(np.int64)
    return pa.array(whole, mask=_nulls(column)), _with_nulls(field, column, fits)


def _within(field: Field, column: pa.Array) -> tuple[npt.NDArray[np.float64], Bools] | None:
    """The numbers with 0 for null, and the mask of those within the field's bounds, in which a float64 is exact."""
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        return None
    filled = column.fill_null(0) if column.null_count else column
    numbers = filled.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    least, most = bounds(field)
    try:
        return numbers, (float(least) <= numbers) & (numbers <= float(most))
    except OverflowError:
        return None


def _boolean_check(field: Field, column: pa.Array) -> CheckedColumn | None:
    if not pa.types.is_boolean(column.type):
        return None
    return column, _with_nulls(field, column, np.ones(len(column), bool))


def _timestamp_check(field: Field, column: pa.Array) -> CheckedColumn | None:
    if not pa.types.is_timestamp(column.type) or column.type.unit != "us" or column.type.tz is None:
        return None
    moments = column.cast(pa.int64())
    fits = pc.and_(pc.greater_equal(moments, FIRST), pc.less_equal(moments, LAST))
    return moments, _with_nulls(field, column, _flags(fits))


def _with_nulls(field: Field, column: pa.Array, fits: Bools) -> Bools:
    """The mask ``fits``, with each null valid if the field is nullable."""
    nulls = _nulls(column)
    return fits if nulls is None else np.where(nulls, field.nullable, fits)


def _nulls(column: pa.Array) -> Bools | None:
    """Mask of the nulls; ``None`` when there are none."""
    return _flags(column.is_null()) if column.null_count else None


def _flags(values: pa.Array) -> Bools:
    flags: Bools = (values.fill_null(False) if values.null_count else values).to_numpy(zero_copy_only=False)
    return flags


_CHECKS: Final[dict[str, Callable[[Field, pa.Array], CheckedColumn | None]]] = {
    "text": _text_check,
    "number": _number_check,
    "integer": _integer_check,
    "boolean": _boolean_check,
    "timestamp": _timestamp_check,
}
