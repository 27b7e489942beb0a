"""Random histories of records, small in every dimension so that collisions of all kinds are common."""

import dataclasses
from typing import Any

from hypothesis import strategies as st

from smallbox.define import (
    FeatureView,
    Source,
    above,
    at_least,
    below,
    boolean,
    count,
    distinct,
    equal,
    first,
    last,
    maximum,
    mean,
    minimum,
    number,
    one_of,
    rate,
    since_last,
    std,
    text,
    timestamp,
    total,
    unequal,
)
from smallbox.ingestion.contract import contract_of
from smallbox.records import Record
from smallbox.times import DAY, HOUR, MINUTE, format_moment, parse_day

START = parse_day("2013-03-01")
SPAN = 13 * DAY

_FIELDS = {
    "id": text(),
    "at": timestamp(),
    "who": text(nullable=True),
    "where": text(),
    "size": number(nullable=True),
    "ok": boolean(nullable=True),
}


def _source(name: str, known_after: str | None) -> Source:
    return Source(name, key="id", time="at", fields=_FIELDS, known_after=known_after)


SOURCES = {
    "on_arrival": _source("on_arrival", None),
    "at_once": _source("at_once", "0s"),
    "later": _source("later", "50m"),
    "before": _source("before", "-6h"),
}


def _views(source: Source) -> tuple[FeatureView, ...]:
    windows = ("20m", "3h", "24h", "10d")
    one = {f"count_{w}": count(w) for w in windows} | {f"mean_{w}": mean("size", w) for w in windows}
    one |= {f"last_{w}": last("size", w) for w in windows} | {"rate": rate("ok", "24h"), "yes": total("ok", "3h")}
    two = {"sum": total("size", "24h"), "low": minimum("size", "24h"), "high": maximum("size", "10d")}
    two |= {"top": maximum("size", "3h"), "last_ok": last("ok", "24h"), "last_size": last("size", "24h")}
    three = {f"std_{w}": std("size", w) for w in windows} | {f"first_{w}": first("size", w) for w in ("3h", "10d")}
    three |= {f"since_{w}": since_last(w) for w in ("20m", "24h")} | {
        f"places_{w}": distinct("where", w) for w in windows
    }
    three |= {"sizes": distinct("size", "24h", where=equal("ok", True)), "small": rate(below("size", 0), "3h")}
    three |= {"x": count("24h", where=equal("where", "x")), "not_x": mean("size", "10d", where=unequal("where", "x"))}
    three |= {"good": first("size", "24h", where=(equal("ok", True), at_least("size", 0.1)))}
    three |= {
        "since_good": since_last("10d", where=one_of("where", ["x"])),
        "least": minimum("size", "3h", where=above("size", 0)),
    }
    return (
        FeatureView(f"{source.name}_one", "who", source, one, tile="10m"),
        FeatureView(f"{source.name}_two", ("who", "where"), source, two, tile="1h"),
        FeatureView(f"{source.name}_three", "who", source, three),
    )


VIEWS = {name: _views(source) for name, source in SOURCES.items()}
ENTITIES = ("a", "b|c")
PLACES = ("x", "y\\")

_LEADS = {
    "on_arrival": (DAY, 3 * DAY, 9 * DAY, 20 * DAY),
    "at_once": (2 * DAY,),
    "later": (2 * DAY - HOUR,),
    "before": (DAY, 2 * DAY + 6 * HOUR),
}
"""How long before its event a record may be received, by source: as far as the contract lets it."""

_ANCHOR = START + 12 * DAY
_edges = st.builds(
    lambda length, tiles: _ANCHOR - length + tiles * 10 * MINUTE,
    st.sampled_from([0, 20 * MINUTE, 3 * HOUR, DAY, 10 * DAY]),
    st.integers(-1, 1),
)
"""Moments on the edges of the windows that end at one of three tiles: where off-by-one errors would show."""

moments = st.one_of(
    _edges,
    st.integers(0, SPAN // (10 * MINUTE)).map(lambda n: START + n * 10 * MINUTE),
    st.integers(START, START + SPAN),
)
_sizes = st.one_of(
    st.none(), st.integers(-3, 3).map(lambda n: n / 10), st.floats(-1e12, 1e12, allow_nan=False), st.just(-0.0)
)


@st.composite
def records(draw: st.DrawFn, source: Source) -> Record:
    """A record of a few keys, received at, long before or long after its event."""
    time = draw(moments)
    delay = draw(st.sampled_from([0, MINUTE, HOUR, 30 * HOUR, 12 * DAY, *(-lead for lead in _LEADS[source.name])]))
    raw: dict[str, Any] = {
        "id": draw(st.sampled_from("klmnopqrstuv")),
        "at": format_moment(time),
        "who": draw(st.sampled_from([*ENTITIES, "", None])),
        "where": draw(st.sampled_from([*PLACES, ""])),
        "size": draw(_sizes),
        "ok": draw(st.sampled_from([True, False, None])),
    }
    found = contract_of(source).check(raw, 0, time + delay)
    assert isinstance(found, Record)
    return found


def histories(source: Source) -> st.SearchStrategy[list[Record]]:
    """Records in the order in which they are received, some of them twice, some of them later."""
    once = st.lists(records(source), max_size=14)
    return once.flatmap(lambda found: _repeated(source, found)).map(
        lambda found: sorted(found, key=lambda r: r.received_at)
    )


def _repeated(source: Source, found: list[Record]) -> st.SearchStrategy[list[Record]]:
    if not found:
        return st.just(found)
    again = st.builds(_later, st.sampled_from(found), st.sampled_from([0, HOUR, 3 * DAY]), st.just(source))
    return st.lists(again, max_size=4).map(lambda more: found + more)


def _later(record: Record, delay: int, source: Source) -> Record:
    received_at = record.received_at + delay
    return dataclasses.replace(record, received_at=received_at, known_at=source.known_at(record.time, received_at))
