"""Random contracts, and files of rows that keep them, break them, or are of a type that nobody had in mind."""

import csv
import io
import json
import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st

from smallbox.define.fields import Field, FieldType
from smallbox.define.source import Source
from smallbox.times import DAY, format_moment, parse_day

NOW = parse_day("2013-03-01")
_NAMES = ("a", "b", "z")

_texts = st.one_of(
    st.sampled_from(
        ["", "EWR", "JFK", "N1", "é", 'a "b" \\', "\x7f", "\n", "\x00", "😀" * 256, "x" * 257, "1", "true"]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
)
_floats = st.one_of(
    st.sampled_from([0.0, -0.0, 1.0, 10.5, 1e12, 1.0000001e12, 1e-7, 0.1 + 0.2, 1e16, math.inf, -math.inf, math.nan]),
    st.floats(-1e3, 1e3),
    st.floats(),
)
_ints = st.one_of(st.integers(-3, 12), st.sampled_from([10**12, 10**12 + 1, 2**53 + 1, 2**62]))
_numbers = _floats | _ints | st.sampled_from([10**30, -(10**400)])
_moments = st.one_of(
    st.integers(-3, 3).map(lambda n: NOW + n * DAY),
    st.sampled_from(
        [0, NOW + 1, -(26_000) * DAY, NOW + 4_000 * DAY, -(62_135_596_800) * 10**6, 253_402_300_799_999_999]
    ),
)
_zoned = st.builds(
    lambda at, hours: (
        (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at))
        .astimezone(timezone(timedelta(hours=hours)))
        .isoformat()
    ),
    st.integers(-3, 3).map(lambda n: NOW + n * DAY),
    st.sampled_from([0, 1, -5]),
)
_written = st.one_of(
    _moments.map(format_moment), _zoned, st.sampled_from(["2013-01-01T00:00:00", "20130101T000000Z", "-"])
)
_booleans = st.booleans()


@st.composite
def _field(draw: st.DrawFn) -> Field:
    kind: FieldType = draw(st.sampled_from(["text", "number", "integer", "boolean", "timestamp"]))
    nullable = draw(st.booleans())
    if kind == "text":
        rules: dict[str, Any] = draw(st.sampled_from([{}, {"choices": ("EWR", "JFK")}, {"pattern": r"[A-Z]\w*"}]))
        return Field("text", nullable=nullable, **rules)
    if kind in {"number", "integer"}:
        least, most = draw(st.sampled_from([*[None, 0, -1.5] * 4, 10**400])), draw(st.sampled_from([None, 10, 10.5]))
        crosses = least is not None and most is not None and least > most
        return Field(kind, nullable=nullable, minimum=None if crosses else least, maximum=most)
    return Field(kind, nullable=nullable)


sources = st.builds(
    lambda fields, after: Source(
        "things", "id", "at", {"id": Field("text"), "at": Field("timestamp"), **fields}, known_after=after
    ),
    st.dictionaries(st.sampled_from(_NAMES), _field(), min_size=1, max_size=3),
    st.sampled_from([*[None, "0s", "1h", "-3d"] * 4, "9000d", "200000000d"]),
)

_distinct = st.integers(0, 10**6).map(str)
_keys = st.one_of(_distinct, _distinct, _distinct, st.sampled_from(["a", "b", "é", ""]))
_PLAIN = {"text": _texts, "number": _numbers, "integer": _numbers, "boolean": _booleans, "timestamp": _written}
_TIDY = {
    "text": st.sampled_from(["EWR", "JFK"]),
    "number": st.floats(0, 10),
    "integer": st.integers(0, 10),
    "boolean": _booleans,
    "timestamp": st.integers(-2, 0).map(lambda n: format_moment(NOW + n * DAY)),
}
_odd = st.one_of(_texts, _numbers, _booleans, st.sampled_from([[], {}, [1], {"n": 1}]))


@st.composite
def _objects(draw: st.DrawFn, source: Source) -> list[dict[str, Any]]:
    columns = {n: _TIDY[f.type] | (st.none() if f.nullable else st.nothing()) for n, f in source.fields.items()}
    rows = draw(st.lists(st.fixed_dictionaries({**columns, "id": _keys}), max_size=8))
    for _ in range(draw(st.integers(0, 3)) if rows else 0):
        row, name = draw(st.sampled_from(rows)), draw(st.sampled_from([*source.fields, *source.fields, "unknown"]))
        kind = source.fields[name].type if name in source.fields else "text"
        row[name] = draw(st.one_of(_PLAIN[kind], _PLAIN[kind], st.none(), _odd))
        if draw(st.integers(0, 5)) == 0:
            row.pop(name)
    return rows


def _csv_of(rows: Sequence[dict[str, Any]], names: Sequence[str], extra: int) -> bytes:
    lines = io.StringIO()
    writer = csv.writer(lines)
    writer.writerow(names)
    for at, row in enumerate(rows):
        texts = [str(row.get(name, "")) if row.get(name) is not None else "" for name in names]
        writer.writerow([*texts, "more"] if at == extra else texts[: len(texts) - (at == extra + 1)])
    return lines.getvalue().encode()


_types = st.sampled_from([
    pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string()), pa.binary(), pa.float64(), pa.float32(),
    pa.int64(), pa.int8(), pa.uint64(), pa.bool_(), pa.null(), pa.date32(), pa.decimal128(20, 3), pa.list_(pa.int64()),
    *(pa.timestamp(unit, zone) for unit in ("s", "ms", "us", "ns") for zone in (None, "UTC", "Europe/Zurich")),
])  # fmt: skip
_USUAL = {
    "text": [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())],
    "number": [pa.float64(), pa.float32(), pa.int64()],
    "integer": [pa.int64(), pa.float64(), pa.uint64(), pa.int8()],
    "boolean": [pa.bool_()],
    "timestamp": [
        pa.timestamp("us", "UTC"),
        pa.timestamp("ns", "Europe/Zurich"),
        pa.timestamp("s", "UTC"),
        pa.string(),
    ],
}


def _odd_values(kind: pa.DataType) -> st.SearchStrategy[Any]:
    if pa.types.is_timestamp(kind) and kind.unit != "ns":  # nanoseconds reach from 1678 to 2262
        return _moments.map(lambda at: at // _MICROS[kind.unit])
    if pa.types.is_integer(kind):
        least = 0 if pa.types.is_unsigned_integer(kind) else -128
        return st.sampled_from(
            [n for n in (-1, 12, 10**12, 10**12 + 1, 2**62) if least <= n < 2 ** (kind.bit_width - 1)]
        )
    if pa.types.is_floating(kind):
        return _floats if kind == pa.float64() else st.floats(width=32)
    return _texts | _written if _is_text(kind) else _tidy_values(kind, is_time=False)


def _tidy_values(kind: pa.DataType, *, is_time: bool) -> st.SearchStrategy[Any]:
    if pa.types.is_timestamp(kind):
        near = st.integers(-400, 0).map(lambda n: NOW + n * DAY)
        return near.map(lambda at: at * 1_000 if kind.unit == "ns" else at // _MICROS[kind.unit])
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return st.integers(0, 10) if pa.types.is_integer(kind) else st.integers(0, 10).map(float)
    return _TIDY["timestamp" if is_time else "text"] if _is_text(kind) else _REST[str(kind)]


_MICROS = {"s": 10**6, "ms": 1_000, "us": 1}
_REST: dict[str, st.SearchStrategy[Any]] = {
    "binary": st.binary(max_size=3),
    "bool": _booleans,
    "null": st.none(),
    "date32[day]": st.integers(0, 20_000),
    "decimal128(20, 3)": st.integers(-(10**6), 10**6).map(lambda n: Decimal(n) / 1000),
    "list<item: int64>": st.just([1]),
}


@st.composite
def _table(draw: st.DrawFn, source: Source) -> pa.Table:
    rows = draw(st.integers(0, 8))
    columns: dict[str, pa.Array] = {}
    spoiled = draw(st.sampled_from([*source.fields, ""]))
    for name, field in source.fields.items():
        kind = draw(_types if name == spoiled and draw(st.booleans()) else st.sampled_from(_USUAL[field.type]))
        tidy = _tidy_values(kind, is_time=field.type == "timestamp")
        tidy = _keys if name == source.key and _is_text(kind) else tidy
        given = tidy | (st.none() if field.nullable else st.nothing())
        values = draw(st.lists(given, min_size=rows, max_size=rows))
        if rows and name == spoiled:
            values[draw(st.integers(0, rows - 1))] = draw(_odd_values(kind) | st.none())
        columns[name] = pa.array(values, kind)
    if draw(st.integers(0, 9)) == 0:
        columns.pop(draw(st.sampled_from(sorted(columns))))
    if draw(st.integers(0, 9)) == 0:
        columns["unknown"] = pa.array([1] * rows)
    return pa.table(columns)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_dictionary(kind))


@st.composite
def files(draw: st.DrawFn, source: Source) -> tuple[str, bytes]:
    """A file's name and content."""
    kind = draw(st.sampled_from(["f.csv", "f.jsonl", "f.parquet"]))
    if kind == "f.parquet":
        content = io.BytesIO()
        pq.write_table(draw(_table(source)), content)
        return kind, content.getvalue()
    rows = draw(_objects(source))
    if kind == "f.csv":
        names = draw(st.sampled_from([[*source.fields], [*source.fields, "unknown"], [*source.fields][1:]]))
        return kind, _csv_of(rows, names, draw(st.sampled_from([-9, -9, 1, 3])))
    lines = [json.dumps(row) for row in rows] + draw(st.sampled_from([[], ["3"], ["{no json"], ['"\\ud800"']]))
    return kind, "\n".join(lines).encode()
