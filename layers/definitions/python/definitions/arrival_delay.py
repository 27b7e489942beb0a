"""By how many minutes will a flight arrive late? A number as label: the mean, and three quantiles around it."""

from typing import Any

from definitions.flights import INPUTS, ON_DEMAND, RETRAIN, SEASONAL, VIEWS, arrivals, departures
from smallbox.define import Columns, Gate, Model, Monitor, Regression, ceiling, floor, label, prepare


def delay_trees(columns: Columns, quantile: float | None = None) -> Any:
    """Gradient-boosted trees for the mean, or for a quantile."""
    from sklearn.ensemble import HistGradientBoostingRegressor
    from sklearn.pipeline import Pipeline

    trees = HistGradientBoostingRegressor(
        loss="squared_error" if quantile is None else "quantile",
        quantile=quantile,
        max_iter=40,
        learning_rate=0.1,
        max_leaf_nodes=12,
        min_samples_leaf=100,
        random_state=0,
    )
    return Pipeline([("prepare", prepare(columns, categorical={"min_frequency": 200})), ("trees", trees)])


arrival_delay = Model(
    "arrival_delay",
    request=departures,
    inputs=INPUTS,
    views=VIEWS,
    on_demand=ON_DEMAND,
    label=label(
        arrivals,
        on="flight_id",
        value="arrival_delay",
        within="24h",
        objective=Regression("squared", quantiles=(0.1, 0.5, 0.9)),
    ),
    estimator=delay_trees,
    gate=Gate(guardrails=(ceiling("below_q10", 0.3), floor("below_q90", 0.75))),
    monitor=Monitor(min_coverage=0.8, expected_drift=SEASONAL, max_skew=0),
    retrain=RETRAIN,
)
