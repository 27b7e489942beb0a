"""What senders make of a day's records when something is wrong with them: each a function of the true records."""

from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd

from smallbox.cli.drills.town import DayRecords
from smallbox.times import HOUR

_METRES: Final = 1_000
_LAG: Final = 12 * HOUR


def _chosen(rows: pd.DataFrame, share: float) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """The same share of rows on every call."""
    found: np.ndarray[tuple[int], np.dtype[np.bool_]] = np.random.default_rng(len(rows)).random(len(rows)) < share
    return found


def honest(day: DayRecords) -> DayRecords:
    """Everything is sent as it is."""
    return day


def null_distances(day: DayRecords) -> DayRecords:
    """Three of ten orders have no distance."""
    gone = _chosen(day.orders, 0.3)
    lost = day.orders.assign(distance=day.orders["distance"].where(~gone))
    return replace(day, asked=lost.copy(), orders=lost)


def metres(day: DayRecords) -> DayRecords:
    """Distances are sent in metres."""
    longer = day.orders.assign(distance=day.orders["distance"] * _METRES)
    return replace(day, asked=longer.copy(), orders=longer)


def lagging_weather(day: DayRecords) -> DayRecords:
    """The weather is twelve hours old when it is sent."""
    return replace(day, weather=day.weather.assign(at=day.weather["at"] + _LAG))


def no_weather(day: DayRecords) -> DayRecords:
    """No observation is sent."""
    return replace(day, weather=day.weather.iloc[:0])


def other_keys(day: DayRecords) -> DayRecords:
    """Deliveries name their orders in another form, so no outcome finds its request."""
    return replace(day, deliveries=day.deliveries.assign(order_id="X-" + day.deliveries["order_id"]))


def late_by_mistake(day: DayRecords) -> DayRecords:
    """Every delivery is reported as late."""
    return replace(day, deliveries=day.deliveries.assign(late=True))


def distance_of_zero(day: DayRecords) -> DayRecords:
    """For one request in twelve the caller sends a distance of 0; the record has the true one."""
    wrong = _chosen(day.asked, 0.08)
    return replace(day, asked=day.asked.assign(distance=day.asked["distance"].where(~wrong, 0.0)))


def too_many_items(day: DayRecords) -> DayRecords:
    """Every fifth order record has 99 items, which its contract refuses; the requests are right."""
    wrong = _chosen(day.orders, 0.2)
    return replace(day, orders=day.orders.assign(items=day.orders["items"].where(~wrong, 99)))


def moment_texts(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows as JSON has them: moments as texts."""
    names = [str(name) for name in rows.columns if str(name).endswith("_at")]
    moments = {name: [_text(one) for one in rows[name]] for name in names}
    return rows.drop(columns="at").assign(**moments)


def _text(moment: pd.Timestamp) -> str:
    return str(moment.isoformat())
