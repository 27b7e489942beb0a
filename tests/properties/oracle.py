"""The features by their definition, in loops over records and exact fractions: slow, and easy to believe."""

import math
import zlib
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from smallbox.arrays import Floats
from smallbox.define import Attributes
from smallbox.define.aggregates import Aggregate, Operand
from smallbox.define.conditions import OPERATORS, Condition
from smallbox.define.view import FeatureView
from smallbox.features.windows.operand_columns import CodedTexts, FieldColumn, hashes
from smallbox.features.windows.sketch import Sketches, codes_of, estimate_distinct
from smallbox.records import Record


def versions_at(records: Sequence[Record], as_of: int) -> list[Record]:
    """What counts at a moment: of each key the version with the greatest (known_at, received_at, digest)."""
    first: dict[tuple[str, int, str], Record] = {}
    for record in sorted(records, key=lambda r: r.received_at):
        if record.known_at <= as_of:
            first.setdefault((record.key, record.known_at, record.digest), record)
    latest: dict[str, Record] = {}
    for record in sorted(first.values(), key=lambda r: (r.known_at, r.received_at, r.digest)):
        latest[record.key] = record
    return list(latest.values())


def features(view: FeatureView, records: Sequence[Record], entity: str, as_of: int) -> list[float]:
    """Every feature of an entity at a moment."""
    known = [r for r in versions_at(records, as_of) if entity_of(view, r) == entity]
    return [_feature(view, aggregate, known, as_of) for aggregate in view.features.values()]


def entity_of(view: FeatureView | Attributes, record: Record) -> str | None:
    """Who a record is about: the parts of a name, escaped and joined; nobody where one is null or empty."""
    name = ""
    for field in view.entity_fields:
        part: Any = record.values[field]
        if part is None or not part:
            return None
        name += "|" * bool(name) + part.replace("\\", "\\\\").replace("|", "\\|")
    return name


def check(view: FeatureView, found: Floats, expected: Sequence[Sequence[float]]) -> None:
    """Hold values against the definition's: equal, but for the last bits of deviations, which are rounded otherwise."""
    rounded = [aggregate.kind == "std" for aggregate in view.features.values()]
    wanted = np.array(expected).reshape(found.shape)
    np.testing.assert_array_equal(found[:, np.invert(rounded)], wanted[:, np.invert(rounded)])
    np.testing.assert_allclose(found[:, rounded], wanted[:, rounded], rtol=1e-14, atol=0)


def _feature(view: FeatureView, aggregate: Aggregate, known: Sequence[Record], as_of: int) -> float:
    tile, size = view.tile_micros, view.tile_size(aggregate)
    end = (as_of - max(view.source.known_after_micros or 0, 0)) // tile * tile
    start = end // size * size - aggregate.window_micros
    inside = [r for r in known if start <= r.time < end and all(_holds(c, r) for c in aggregate.operand.where)]
    there = [(r, v) for r in inside if (v := _value(aggregate, r)) is not None]
    if aggregate.kind in {"count", "distinct"}:
        return float(len(there)) if aggregate.kind == "count" else about_distinct([v for _, v in there])
    if not there:
        return math.nan
    if aggregate.kind == "since_last":
        return (as_of - max(r.time for r, _ in there)) / 10**6
    return _over(aggregate, [(r, float(v)) for r, v in there])


def _holds(condition: Condition, record: Record) -> bool | None:
    value: Any = record.values[condition.field]
    return None if value is None else bool(OPERATORS[condition.operator](value, condition.value))


def _value(aggregate: Aggregate, record: Record) -> Any:
    operand = aggregate.operand
    if operand.holds is not None:
        return _holds(operand.holds, record)
    return record.values[operand.field] if operand.field else 1


def about_distinct(values: Sequence[Any]) -> float:
    """What the sketch of these values estimates, by a dict of registers; how near that is, another test says."""
    columns = {"v": np.array([], np.float64)} if not values else _columns(values)
    _, bits = hashes(Operand("v"), columns)
    best: dict[int, int] = {}
    for code in map(int, codes_of(bits)):
        best[code >> 6] = max(best.get(code >> 6, 0), code)
    codes = np.array(sorted(best.values()), np.uint16)
    return float(estimate_distinct(Sketches(np.array([0, len(codes)]), codes))[0])


def _columns(values: Sequence[Any]) -> dict[str, FieldColumn]:
    if isinstance(values[0], str):
        return {"v": CodedTexts(values, np.arange(len(values)))}
    return {"v": np.array(values, np.float64)}


def _over(aggregate: Aggregate, there: Sequence[tuple[Record, float]]) -> float:
    values = [v for _, v in there]
    if aggregate.kind in {"min", "max"}:
        return min(values) if aggregate.kind == "min" else max(values)
    if aggregate.kind == "last":
        return max((r.time, zlib.crc32(r.key.encode()), v) for r, v in there)[2]
    if aggregate.kind == "first":
        return max((-r.time, zlib.crc32(r.key.encode()), v) for r, v in there)[2]
    units = [Fraction(round(value * 10**6)) for value in values]
    if aggregate.kind == "std":
        return _deviation(units)
    total = float(sum(units)) / 10**6
    return total if aggregate.kind == "sum" else total / len(values)


def _deviation(units: Sequence[Fraction]) -> float:
    """By its definition in exact fractions, rounded at the end; the engines' own roundings differ in the last bits."""
    if len(units) < 2:
        return math.nan
    middle = sum(units) / len(units)
    variance = sum((unit - middle) ** 2 for unit in units) / (len(units) - 1)
    return math.sqrt(variance) / 10**6
