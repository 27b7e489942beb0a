"""The features by their definition, in loops over records and exact fractions: slow, and easy to believe."""

import math
import zlib
from collections.abc import Sequence
from fractions import Fraction

from smallbox.define.aggregates import Aggregate
from smallbox.define.view import FeatureView
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
    known = [r for r in versions_at(records, as_of) if view.entity_of(r.values) == entity]
    return [_feature(view, aggregate, known, as_of) for aggregate in view.features.values()]


def _feature(view: FeatureView, aggregate: Aggregate, known: Sequence[Record], as_of: int) -> float:
    tile, size = view.tile_micros, view.tile_size(aggregate)
    end = (as_of - max(view.source.known_after_micros or 0, 0)) // tile * tile
    start = end // size * size - aggregate.window_micros
    inside = [r for r in known if start <= r.time < end]
    if aggregate.kind == "count":
        return float(len(inside))
    there = [r for r in inside if r.values[aggregate.field] is not None]
    if not there:
        return math.nan
    return _over(aggregate, there)


def _over(aggregate: Aggregate, there: Sequence[Record]) -> float:
    values = [float(r.values[aggregate.field]) for r in there]  # type: ignore[arg-type]
    if aggregate.kind in {"min", "max"}:
        return min(values) if aggregate.kind == "min" else max(values)
    if aggregate.kind == "last":
        return max((r.time, zlib.crc32(r.key.encode()), v) for r, v in zip(there, values, strict=True))[2]
    units = sum(round(value * 10**6) for value in values)
    total = float(Fraction(units)) / 10**6
    return total if aggregate.kind == "sum" else total / len(values)
