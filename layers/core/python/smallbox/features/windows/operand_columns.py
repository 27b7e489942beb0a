"""The input values of aggregates: record fields as columns, filtered by conditions.

A numeric column is a float array; NaN means null. A text column is dictionary-encoded, so that a condition is evaluated
once for each distinct text.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from smallbox.arrays import Bools, Floats, Ints
from smallbox.define.aggregates import Operand
from smallbox.define.conditions import OPERATORS, Condition
from smallbox.define.source import Source
from smallbox.records import Record

Bits = npt.NDArray[np.uint64]

_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_FIRST: Final = np.uint64(0xBF58476D1CE4E5B9)
_SECOND: Final = np.uint64(0x94D049BB133111EB)
_FALSE_TRUE_NULL: Final = np.array([0.0, 1.0, np.nan])


@dataclass(frozen=True, slots=True, eq=False)
class CodedTexts:
    """A dictionary-encoded text column.

    Attributes:
        names: the distinct texts.
        codes: the index of each record's text in ``names``; -1 means null.
    """

    names: Sequence[str]
    codes: Ints

    def __getitem__(self, at: Bools | Ints) -> "CodedTexts":
        """The column of a selection of records."""
        return CodedTexts(self.names, self.codes[at])


FieldColumn = Floats | CodedTexts
FieldColumns = Mapping[str, FieldColumn]


def columns_of(source: Source, fields: Sequence[str], records: Sequence[Record]) -> dict[str, FieldColumn]:
    """The named fields of records as columns."""
    return {name: _column(source, name, records) for name in fields}


def _column(source: Source, name: str, records: Sequence[Record]) -> FieldColumn:
    values = [record.values.get(name) for record in records]
    if source.fields[name].type != "text":
        return np.array(values, dtype=np.float64)
    names = {text: at for at, text in enumerate(dict.fromkeys(v for v in values if isinstance(v, str)))}
    return CodedTexts(list(names), np.array([-1 if v is None else names[v] for v in values], dtype=np.int64))  # type: ignore[index]


def holds(condition: Condition, columns: FieldColumns) -> Floats:
    """For each record: 1 if the condition holds, 0 if not, NaN if the field is null."""
    column, compare = columns[condition.field], OPERATORS[condition.operator]
    if isinstance(column, CodedTexts):
        answers = [int(compare(name, condition.value)) for name in column.names]
        return _FALSE_TRUE_NULL[np.array([*answers, 2], dtype=np.int64)[column.codes]]
    return np.where(np.isnan(column), np.nan, compare(column, condition.value))


def _kept(operand: Operand, columns: FieldColumns) -> Bools | None:
    if not operand.where:
        return None
    kept: Bools = np.logical_and.reduce([holds(condition, columns) == 1.0 for condition in operand.where])
    return kept


def evaluate(operand: Operand, columns: FieldColumns, rows: int) -> Floats:
    """The aggregate's input value of each of ``rows`` records; NaN means the record is skipped."""
    if operand.holds is not None:
        values = holds(operand.holds, columns)
    elif operand.field:
        column = columns[operand.field]
        values = _present(column) if isinstance(column, CodedTexts) else column
    else:
        values = np.ones(rows)
    kept = _kept(operand, columns)
    return values if kept is None else np.where(kept, values, np.nan)


def _present(column: CodedTexts) -> Floats:
    return np.where(column.codes < 0, np.nan, 1.0)


def hashes(operand: Operand, columns: FieldColumns) -> tuple[Ints, Bits]:
    """Positions of the records that have a value, and a uniform 64-bit hash of each value.

    A text is hashed by BLAKE2b; a number's float64 bits are mixed by SplitMix64's finalizer (Steele, Lea and Flood,
    OOPSLA 2014).
    """
    column, kept = columns[operand.field], _kept(operand, columns)
    there = column.codes >= 0 if isinstance(column, CodedTexts) else ~np.isnan(column)
    at = np.flatnonzero(there if kept is None else there & kept)
    if isinstance(column, CodedTexts):
        digests = [hashlib.blake2b(name.encode(), digest_size=8).digest() for name in column.names]
        return at, np.frombuffer(b"".join(digests), "<u8").astype(np.uint64)[column.codes[at]]
    return at, _mixed((column[at] + 0.0).view(np.uint64))


def _mixed(bits: Bits) -> Bits:
    bits = bits + _GOLDEN
    bits = (bits ^ (bits >> np.uint64(30))) * _FIRST
    bits = (bits ^ (bits >> np.uint64(27))) * _SECOND
    return bits ^ (bits >> np.uint64(31))
