"""Will a flight arrive more than 15 minutes late? A boolean label: the score is a probability."""

from typing import Any

from definitions.flights import INPUTS, ON_DEMAND, RETRAIN, SEASONAL, VIEWS, arrivals, departures
from smallbox.define import Canary, Columns, Gate, Model, Monitor, Release, Shadow, ceiling, floor, label, prepare


def boosted_trees(columns: Columns) -> Any:
    """Gradient-boosted trees: missing numbers have a branch of their own, rare categories share one column."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.pipeline import Pipeline

    trees = HistGradientBoostingClassifier(
        max_iter=150, learning_rate=0.06, max_leaf_nodes=24, min_samples_leaf=100, random_state=0
    )
    return Pipeline([("prepare", prepare(columns, categorical={"min_frequency": 200})), ("trees", trees)])


late_arrival = Model(
    "late_arrival",
    request=departures,
    inputs=INPUTS,
    views=VIEWS,
    on_demand=ON_DEMAND,
    label=label(arrivals, on="flight_id", value="late", within="24h"),
    estimator=boosted_trees,
    gate=Gate(guardrails=(floor("auc", 0.62), ceiling("calibration_error", 0.10)), max_loss_increase=0.02),
    release=Release(
        shadow=Shadow(max_loss_increase=0.08, max_days=8),
        canary=Canary(steps=("20% for 1d", "50% for 1d"), max_days=7),
        roll_back=True,
    ),
    monitor=Monitor(
        guardrails=(floor("auc", 0.60), ceiling("calibration_error", 0.12)),
        min_coverage=0.8,
        expected_drift=SEASONAL,
        max_skew=0,
    ),
    retrain=RETRAIN,
)
