"""The drills' small world, made up by day: orders, deliveries and weather whose days vary as real days do.

Every day has its own seeded generator. So two worlds that differ from some day on are equal to the bit before it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
import pandas as pd

from smallbox.arrays import Floats
from smallbox.times import DAY, HOUR, SECOND, Micros, to_datetime

BEGIN: Final[Micros] = 15_001 * DAY
"""The first day; a day's weekday is its number modulo 7, the last two of which are the weekend."""

SHOPS: Final = 12
TOWNS: Final = 3
CHANNEL_NAMES: Final = ("app", "web", "phone")

_SEED: Final = 2_011
_MOST_DAYS: Final = 400
_WEEKEND: Final = (5, 6)
_CARRIED: Final = 0.7
"""How much of a day's deviation is left the day after."""

_MEDIAN_KILOMETRES: Final = 4.0
_SPREAD: Final = 0.5
"""The standard deviation of the logarithm of the distance."""

_USUAL_LATE: Final = 0.2
"""The share of late deliveries on quiet days."""

_MEAN_MINUTES: Final = 35.0


@dataclass(frozen=True, slots=True)
class Conditions:
    """What is true of a day in this world; the defaults are a quiet day.

    Attributes:
        orders: the mean number of orders on a working day.
        farther: how far the distances have moved up, in their standard deviations.
        by_distance: what one standard deviation of the distance adds to the log odds of a late delivery.
        phone: the share of orders by phone.
        late_kept: how many times likelier a late delivery is than otherwise, with all that goes with it: the prior.
    """

    orders: float = 300.0
    farther: float = 0.0
    by_distance: float = 0.9
    phone: float = 0.15
    late_kept: float = 1.0


QUIET: Final = Conditions()


@dataclass(frozen=True, slots=True)
class DayRecords:
    """What happens on one day, in frames with the fields of the source and the column ``at``, microseconds.

    Attributes:
        asked: the requests as the caller sends them, by event time.
        orders: the records of the same orders.
        deliveries: the outcomes of this day's orders; ``at`` may lie on the next day.
        weather: the observations.
    """

    asked: pd.DataFrame
    orders: pd.DataFrame
    deliveries: pd.DataFrame
    weather: pd.DataFrame

    @property
    def by_source(self) -> Mapping[str, pd.DataFrame]:
        """The records that are sent, by source."""
        return {"orders": self.orders, "deliveries": self.deliveries, "weather": self.weather}


@cache
def _carried(which: int, columns: int) -> Floats:
    """Deviations of every day with standard deviation 1, each carrying on from the day before."""
    random = np.random.default_rng([_SEED, which])
    fresh = random.normal(size=(_MOST_DAYS, columns))
    found = np.empty_like(fresh)
    found[0] = fresh[0]
    for day in range(1, _MOST_DAYS):
        found[day] = _CARRIED * found[day - 1] + np.sqrt(1 - _CARRIED**2) * fresh[day]
    return found


def records_of(day: int, conditions: Conditions = QUIET) -> DayRecords:
    """What happens on a day, counted from :data:`BEGIN`.

    Lateness depends on the distance, the items, the rain, the load of the shop and the day. Distances, items, rain and
    loads vary from day to day beyond sampling noise, and weekends differ.
    """
    random = np.random.default_rng([_SEED, 1_000 + day])
    sky = _weather(day, random)
    orders = _orders(day, conditions, random)
    loads = _carried(3, SHOPS)[day]
    rain = sky.groupby("town")["rain"].mean()
    late = _late(orders, loads, rain, day, conditions, random)
    kept = _kept(late, conditions, random)
    orders, late = orders[kept].reset_index(drop=True), late[kept]
    return DayRecords(orders, orders.copy(), _deliveries(orders, late, loads, random), sky)


def _weather(day: int, random: np.random.Generator) -> pd.DataFrame:
    wet, warmth = _carried(1, 1)[day, 0], _carried(2, 1)[day, 0]
    hours, towns = np.repeat(np.arange(24), TOWNS), np.tile(np.arange(TOWNS), 24)
    at = BEGIN + day * DAY + hours * HOUR
    rows = len(hours)
    return pd.DataFrame(
        {
            "observation_id": [f"{day}-{hour}-{town}" for hour, town in zip(hours, towns, strict=True)],
            "observed_at": _moments(at),
            "town": [f"town{town}" for town in towns],
            "rain": np.round(np.maximum(0.0, 0.7 + 0.5 * wet + 0.5 * random.normal(size=rows)), 2),
            "temperature": np.round(
                12 + 3 * warmth + 4 * np.sin((hours - 9) / 24 * 2 * np.pi) + random.normal(size=rows), 1
            ),
            "at": at,
        }
    )


def _orders(day: int, conditions: Conditions, random: np.random.Generator) -> pd.DataFrame:
    is_weekend, moved = day % 7 in _WEEKEND, _carried(4, 3)[day]
    # a prior above 1 is reached by leaving out orders that are not late, so more are drawn for as many to be left
    drawn = conditions.late_kept / (1 + (conditions.late_kept - 1) * _USUAL_LATE)
    expected = conditions.orders * drawn * (1.25 if is_weekend else 1.0) * np.exp(0.05 * moved[0])
    rows = int(random.poisson(expected))
    at = BEGIN + day * DAY + np.sort(random.integers(0, 24 * 3600, rows)) * SECOND
    shops = random.choice(SHOPS, rows)
    deviation = random.normal(size=rows) + 0.08 * moved[1] + conditions.farther
    rest = 1 - conditions.phone
    distance = np.round(_MEDIAN_KILOMETRES * np.exp(_SPREAD * deviation), 2)
    return pd.DataFrame(
        {
            "order_id": [f"o{day}-{number}" for number in range(rows)],
            "placed_at": _moments(at),
            "shop": [f"shop{number}" for number in shops],
            "town": [f"town{number % TOWNS}" for number in shops],
            "ordered_by": random.choice(CHANNEL_NAMES, rows, p=(0.65 * rest, 0.35 * rest, conditions.phone)),
            "distance": np.where(random.random(rows) < 0.01, np.nan, distance),  # noqa: PLR2004 - a usual share
            "items": 1 + random.poisson(2.0 + 0.4 * is_weekend + 0.1 * moved[2], rows).clip(0, 50),
            "at": at,
        }
    )


def _late(
    orders: pd.DataFrame,
    loads: Floats,
    rain: "pd.Series[float]",
    day: int,
    conditions: Conditions,
    random: np.random.Generator,
) -> Any:
    far = np.log(orders["distance"].fillna(_MEDIAN_KILOMETRES) / _MEDIAN_KILOMETRES) / _SPREAD
    odds = (
        -1.9
        + conditions.by_distance * far
        + 0.35 * (orders["items"] - 3)
        + 0.8 * (orders["town"].map(rain) - 0.7)
        + 0.7 * loads[_numbers(orders["shop"])]
        + 0.12 * _carried(5, 1)[day, 0]
        + 0.2 * (day % 7 == 4)  # noqa: PLR2004 - Fridays
    )
    return (random.random(len(orders)) < 1 / (1 + np.exp(-odds))).to_numpy()


def _kept(late: Any, conditions: Conditions, random: np.random.Generator) -> Any:
    """Which orders there are: a prior above 1 leaves out orders that are not late, whatever they are like."""
    return late | (random.random(len(late)) < 1 / conditions.late_kept)


def _deliveries(orders: pd.DataFrame, late: Any, loads: Floats, random: np.random.Generator) -> pd.DataFrame:
    rows = len(orders)
    at = orders["at"].to_numpy() + HOUR + (random.gamma(2.0, 1.2, rows).clip(0, 20) * HOUR).astype(np.int64)
    at = at // SECOND * SECOND
    minutes = _MEAN_MINUTES + 8 * loads[_numbers(orders["shop"])] + 6 * random.normal(size=rows)
    frame = pd.DataFrame(
        {
            "order_id": orders["order_id"],
            "delivered_at": _moments(at),
            "shop": orders["shop"],
            "minutes": np.round(minutes.clip(1.0), 1),
            "late": late,
            "at": at,
        }
    )
    return frame[random.random(rows) < 0.97].reset_index(drop=True)  # noqa: PLR2004 - some are never delivered


def _numbers(names: "pd.Series[str]") -> Any:
    return names.str.removeprefix("shop").astype(int).to_numpy()


def _moments(micros: Any) -> list[Any]:
    return [to_datetime(int(one)) for one in micros]
