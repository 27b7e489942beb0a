"""The definition of the drills' small world: orders of shops, their deliveries, the weather, and one model of lateness.

A drill on the local stack deploys this file as the only module of definitions.
"""

from typing import Any

from smallbox.define import (
    Attributes,
    Canary,
    Columns,
    FeatureView,
    Gate,
    Model,
    Monitor,
    Release,
    Retrain,
    Serve,
    Shadow,
    Source,
    attribute,
    boolean,
    count,
    integer,
    label,
    mean,
    number,
    prepare,
    text,
    timestamp,
)

orders = Source(
    "orders",
    key="order_id",
    time="placed_at",
    fields={
        "order_id": text(),
        "placed_at": timestamp(),
        "shop": text(),
        "town": text(),
        "ordered_by": text(choices=("app", "web", "phone")),
        "distance": number(nullable=True, minimum=0.0),
        "items": integer(minimum=1, maximum=60),
    },
    known_after="0s",
)
deliveries = Source(
    "deliveries",
    key="order_id",
    time="delivered_at",
    fields={
        "order_id": text(),
        "delivered_at": timestamp(),
        "shop": text(),
        "minutes": number(minimum=0.0),
        "late": boolean(),
    },
    known_after="0s",
)
weather = Source(
    "weather",
    key="observation_id",
    time="observed_at",
    fields={
        "observation_id": text(),
        "observed_at": timestamp(),
        "town": text(),
        "rain": number(minimum=0.0),
        "temperature": number(minimum=-60.0, maximum=60.0),
    },
    freshness="7h",
)
shop = FeatureView(
    "shop",
    entity="shop",
    source=deliveries,
    features={
        "shop_minutes_24h": mean("minutes", "24h", default=35.0),
        "shop_deliveries_24h": count("24h"),
    },
)
town = Attributes(
    "town",
    entity="town",
    source=weather,
    features={"rain": attribute("rain"), "temperature": attribute("temperature")},
)


def trees(columns: Columns) -> Any:
    """A few small trees."""
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415
    from sklearn.pipeline import Pipeline  # noqa: PLC0415

    boosted = HistGradientBoostingClassifier(max_iter=60, max_leaf_nodes=8, learning_rate=0.1, random_state=0)
    return Pipeline([("prepare", prepare(columns)), ("trees", boosted)])


late_delivery = Model(
    "late_delivery",
    request=orders,
    inputs=("distance", "items", "ordered_by"),
    views=(shop, town),
    label=label(deliveries, on="order_id", value="late", within="1d"),
    estimator=trees,
    gate=Gate(max_loss_increase=0.05),
    release=Release(shadow=Shadow(max_loss_increase=0.02, max_days=14), canary=Canary(steps=("50% for 1d",))),
    monitor=Monitor(min_rows=150, min_rarer=20, max_lead="7h", false_alarms="1 per quarter"),
    retrain=Retrain(every="90d", window="42d", validation="10d"),
    serve=Serve(budget="250ms"),
    fallback=0.25,
)
