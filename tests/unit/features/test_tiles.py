"""Windows, tiles and packed states, by example."""

import math
from typing import Any

import numpy as np
import pytest

from smallbox.define import (
    FeatureView,
    Source,
    boolean,
    count,
    last,
    maximum,
    mean,
    minimum,
    number,
    rate,
    text,
    timestamp,
    total,
)
from smallbox.errors import NotReady
from smallbox.features.windows.measures import rank_of
from smallbox.features.windows.state import WINDOW_STATES
from smallbox.features.windows.window_edges import end_of, start_of, window_reach
from smallbox.records import Record
from smallbox.times import DAY, HOUR, MINUTE, parse_day

T0 = parse_day("2013-01-15")
source = Source(
    "s",
    "id",
    "at",
    {"id": text(), "at": timestamp(), "who": text(), "x": number(nullable=True), "ok": boolean(nullable=True)},
    known_after="0s",
)
delayed = Source("delayed", "id", "at", source.fields, known_after="1h")


def view(known: Source = source, **features: Any) -> FeatureView:
    """A view of those features."""
    return FeatureView("v", "who", known, features)


def record(key: str, time: int, x: float | None = None, *, ok: bool | None = None) -> Record:
    """A record that was known when it happened."""
    return Record("s", key, time, time, time, {"id": key, "at": time, "who": "a", "x": x, "ok": ok})


def value(of: FeatureView, as_of: int, *records: Record) -> list[float]:
    """The features of the entity after these records."""
    now = max([as_of, *(r.time for r in records)])
    found: list[float] = WINDOW_STATES.numbers(
        of, WINDOW_STATES.add(of, WINDOW_STATES.empty(of), records, now), as_of
    ).tolist()
    return found


def test_a_window_ends_at_the_last_closed_tile() -> None:
    """An event counts from the end of its fine tile on, for exactly the length of a short window."""
    hourly, event = view(n=count("1h")), record("a", T0)
    asked = [T0, T0 + 5 * MINUTE - 1, T0 + 5 * MINUTE, T0 + HOUR + 5 * MINUTE - 1, T0 + HOUR + 5 * MINUTE]
    assert [value(hourly, as_of, event)[0] for as_of in asked] == [0, 0, 1, 1, 0]


def test_a_long_window_starts_on_its_own_tile() -> None:
    """A window of 24 hours starts on an hour, one of 10 days on a day: the nearest that is not shorter."""
    of = view(day=count("24h"), days=count("10d"))
    assert of.tile_sizes == (5 * MINUTE, HOUR, DAY)
    end = end_of(of, T0 + 90 * MINUTE + 1)
    assert start_of((DAY, HOUR), end) == T0 + HOUR - DAY
    assert start_of((10 * DAY, DAY), end) == T0 - 10 * DAY
    assert window_reach(of) == 11 * DAY + 5 * MINUTE


def test_the_shortest_and_the_longest_window() -> None:
    """Five minutes are one fine tile; ninety days end at the last fine tile and begin on a day."""
    of = view(short=count("5m"), long=count("90d"))
    asked = [T0 + 5 * MINUTE - 1, T0 + 5 * MINUTE, T0 + 10 * MINUTE, T0 + 91 * DAY - 1, T0 + 91 * DAY]
    assert [value(of, as_of, record("a", T0)) for as_of in asked] == [[0, 0], [1, 1], [0, 1], [0, 1], [0, 0]]


def test_a_declared_delay_moves_the_window_back() -> None:
    """Where records are known an hour late, the window ends an hour earlier, at what can be known."""
    of = view(delayed, n=count("1h"))
    assert [value(of, as_of, record("a", T0))[0] for as_of in (T0 + 64 * MINUTE, T0 + 65 * MINUTE)] == [0, 1]


def test_each_aggregate_by_hand() -> None:
    """Each aggregate over four records, two with nulls, gives what one computes by hand."""
    of = view(
        n=count("1h"), sum=total("x", "1h"), mean=mean("x", "1h"), low=minimum("x", "1h"), high=maximum("x", "1h"),
        last=last("x", "1h"), rate=rate("ok", "1h"), trues=total("ok", "1h"),
    )  # fmt: skip
    records = [record("a", T0, 0.1, ok=True), record("b", T0 + 1, 0.2), record("c", T0 + 2, -3.0, ok=False)]
    found = value(of, T0 + HOUR, *records, record("d", T0 + 3))
    assert found == [4, -2.7, -2.7 / 3, -3.0, 0.2, -3.0, 0.5, 1.0]


def test_nothing_is_zero_or_missing() -> None:
    """Of an entity without records, or of none at all, counts are 0 and everything else is missing."""
    of = view(n=count("1h"), sum=total("x", "24h"), high=maximum("x", "1h"), last=last("x", "1h"))
    for state in (None, WINDOW_STATES.empty(of)):
        found = WINDOW_STATES.numbers(of, state, T0)
        assert found[0] == 0
        assert np.isnan(found[1:]).all()


def test_ties_go_to_the_greater_rank() -> None:
    """Of two records of one moment the one whose key has the greater CRC-32 is the last."""
    winner = max("ab", key=rank_of)
    records = [record(key, T0, float(ord(key))) for key in "ab"]
    for order in (records, records[::-1]):
        assert value(view(x=last("x", "1h")), T0 + HOUR, *order) == [ord(winner)]


def test_sums_do_not_depend_on_order_or_size() -> None:
    """Sums of numbers that floats would round differently in each order are exact."""
    of = view(sum=total("x", "24h"), mean=mean("x", "24h"))
    records = [record(str(n), T0 + n, x) for n, x in enumerate([1e12, 0.1, -1e12, 0.2] * 50)]
    assert value(of, T0 + HOUR, *records) == value(of, T0 + HOUR, *records[::-1]) == [15.0, 15.0 / 200]
    large = [record(str(n), T0 + n, 1e12) for n in range(50)]
    assert value(of, T0 + HOUR, *large) == [5e13, 1e12]


def test_old_tiles_go() -> None:
    """A state keeps no tile that no later question can reach, and its size stays bounded."""
    of = view(n=count("24h"), x=mean("x", "3h"))
    state, sizes = WINDOW_STATES.empty(of), []
    for hour in range(24 * 20):
        now = T0 + hour * HOUR
        state = WINDOW_STATES.add(
            of, state, [record(f"{hour}.{n}", now + n * MINUTE, 1.0) for n in range(60)], now + HOUR
        )
        sizes.append(len(WINDOW_STATES.pack(of, state)))
    assert max(sizes) == max(sizes[:48])
    assert WINDOW_STATES.numbers(of, state, T0 + 20 * DAY).tolist() == [24 * 60, 1.0]


def test_a_packed_state_of_another_definition_is_refused() -> None:
    """A state that was stored for other windows raises and says to materialize, but shows its watermark."""
    packed = WINDOW_STATES.pack(
        view(n=count("1h")),
        WINDOW_STATES.add(view(n=count("1h")), WINDOW_STATES.empty(view(n=count("1h"))), [record("a", T0)], T0),
    )
    with pytest.raises(NotReady, match="smallbox backfill"):
        WINDOW_STATES.unpack(view(n=count("24h")), packed)
    assert WINDOW_STATES.watermark_of(packed) == T0


def test_events_before_1970_have_tiles_too() -> None:
    """Negative event times fall into the tiles that they should."""
    assert value(view(n=count("1h"), x=last("x", "1h")), 0, record("a", -1, 2.5)) == [1, 2.5]
    assert math.isnan(value(view(x=last("x", "1h")), -5 * MINUTE, record("a", -1, 2.5))[0])
