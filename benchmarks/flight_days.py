"""A year of flights as the daily check has it: the rows, a model of January, and the numbers of each day."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.ensemble import HistGradientBoostingClassifier

from smallbox.arrays import Floats, Ints
from smallbox.cli.demo.flights import load_flights
from smallbox.monitoring.stream_weights import stream_weights
from smallbox.objectives.binary import Binary
from smallbox.objectives.objective import Scored
from smallbox.objectives.permuted_importance import permuted_importance
from smallbox.profiles.building import by_period, layout_of_values
from smallbox.profiles.column_pairs import ColumnPairs, Pair
from smallbox.profiles.day_numbers import day_numbers, pair_numbers
from smallbox.profiles.profile import merged_profiles
from smallbox.statistics.day_streams import DayStreams, DayValue, day_streams
from smallbox.statistics.profile_numbers import mean_number
from smallbox.times import DAY

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
REFERENCE_END = (datetime(2013, 2, 1, tzinfo=UTC) - EPOCH).days
FIRST_DAY = (datetime(2013, 1, 8, tzinfo=UTC) - EPOCH).days
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
