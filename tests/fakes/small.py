"""A small model and data that it can learn: seconds matter in tests."""

from typing import Any

import numpy as np
import pyarrow as pa

from smallbox.define import (
    Columns,
    FeatureView,
    Model,
    Retrain,
    Source,
    boolean,
    ceiling,
    floor,
    label,
    mean,
    number,
    prepare,
    text,
    timestamp,
)
from smallbox.define.rules import Gate
from smallbox.times import HOUR

parcels = Source(
    "parcels",
    key="parcel_id",
    time="sent_at",
    fields={"parcel_id": text(), "sent_at": timestamp(), "depot": text(nullable=True), "weight": number(nullable=True)},
    known_after="0s",
)
deliveries = Source(
    "deliveries",
    key="parcel_id",
    time="delivered_at",
    fields={
        "parcel_id": text(),
        "delivered_at": timestamp(),
        "depot": text(),
        "delay": number(),
        "late": boolean(nullable=True),
    },
    known_after="0s",
)
depot = FeatureView("depot", entity="depot", source=deliveries, features={"depot_delay_3h": mean("delay", "3h")})


def trees(columns: Columns) -> Any:
    """Few, small trees; rare depots share a column."""
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415
    from sklearn.pipeline import Pipeline  # noqa: PLC0415

    classifier = HistGradientBoostingClassifier(max_iter=20, max_leaf_nodes=8, random_state=0)
    return Pipeline([("prepare", prepare(columns, categorical={"min_frequency": 30})), ("trees", classifier)])


late_parcel = Model(
    "late_parcel",
    request=parcels,
    inputs=("weight", "depot"),
    views=(depot,),
    label=label(deliveries, on="parcel_id", value="late", within="24h"),
    estimator=trees,
    gate=Gate(guardrails=(floor("auc", 0.6), ceiling("calibration_error", 0.15)), max_loss_increase=0.05),
    retrain=Retrain(window="20d", validation="3d"),
)


def dataset(rows: int, seed: int) -> pa.Table:
    """Rows of the model's dataset, an hour apart, labels known an hour later; a tenth of the weights are missing."""
    random = np.random.default_rng(seed)
    weight, delay = random.normal(size=rows), random.normal(size=rows)
    depots = np.minimum(random.exponential(2, rows).astype(int), 40)
    chance = 1 / (1 + np.exp(-(2 * weight + delay - (depots == 1))))
    time = np.arange(rows) * HOUR
    return pa.table(
        {
            "key": [f"p{n}" for n in range(rows)],
            "time": time,
            "weight": np.where(random.random(rows) < 0.1, np.nan, weight).astype(np.float32),
            "depot_delay_3h": delay.astype(np.float32),
            "depot": [f"d{d}" for d in depots],
            "label": random.random(rows) < chance,
            "label_known_at": time + HOUR,
        }
    )
