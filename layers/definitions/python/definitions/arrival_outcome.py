"""Will a flight be on time, late or very late, or not arrive at all? A text label: a probability of each class.

A flight that was cancelled or diverted has no arrival, and until the attribution window is over it looks like a late
one. So that class is the label of a request without an outcome.
"""

from typing import Any

from definitions.flights import INPUTS, ON_DEMAND, RETRAIN, SEASONAL, VIEWS, arrivals, departures
from smallbox.define import Columns, Gate, Model, Monitor, ceiling, floor, label, prepare


def outcome_trees(columns: Columns) -> Any:
    """Gradient-boosted trees, one for each class in every round."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.pipeline import Pipeline

    trees = HistGradientBoostingClassifier(
        max_iter=30, learning_rate=0.1, max_leaf_nodes=12, min_samples_leaf=100, random_state=0
    )
    return Pipeline([("prepare", prepare(columns, categorical={"min_frequency": 200})), ("trees", trees)])


arrival_outcome = Model(
    "arrival_outcome",
    request=departures,
    inputs=INPUTS,
    views=VIEWS,
    on_demand=ON_DEMAND,
    label=label(arrivals, on="flight_id", value="outcome", within="24h", otherwise="cancelled_or_diverted"),
    estimator=outcome_trees,
    gate=Gate(guardrails=(floor("accuracy", 0.6), ceiling("calibration_error", 0.1))),
    monitor=Monitor(min_coverage=0.8, expected_drift=SEASONAL, max_skew=0),
    retrain=RETRAIN,
)
