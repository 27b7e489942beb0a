"""The small model with every other kind of label: classes, a number, a number with quantiles, grades of a group."""

from dataclasses import replace
from typing import Any, Final

from smallbox.define import (
    Columns,
    Model,
    Multiclass,
    Ranking,
    Regression,
    Source,
    integer,
    label,
    prepare,
    text,
)
from smallbox.define.rules import Gate
from tests.fakes.small import deliveries, late_parcel, parcels

CLASSES: Final = ("on time", "late", "lost")

outcomes: Source = replace(
    deliveries,
    name="outcomes",
    fields={
        **deliveries.fields,
        "outcome": text(choices=CLASSES[:2], nullable=True),
        "grade": integer(minimum=0, maximum=3, nullable=True),
    },
)
"""What became of a parcel, in words and as a grade; of a lost one nobody hears."""

bids: Source = replace(parcels, fields={**parcels.fields, "search": text()})
"""Parcels that stand beside each other in a search."""


def numbers(columns: Columns, quantile: float | None = None) -> Any:
    """Few, small trees for a number, or for one of its quantiles."""
    from sklearn.ensemble import HistGradientBoostingRegressor  # noqa: PLC0415
    from sklearn.pipeline import Pipeline  # noqa: PLC0415

    loss = "squared_error" if quantile is None else "quantile"
    trees = HistGradientBoostingRegressor(loss=loss, quantile=quantile, max_iter=20, max_leaf_nodes=8, random_state=0)
    return Pipeline([("prepare", prepare(columns, categorical={"min_frequency": 30})), ("trees", trees)])


def _with(objective: Any, value: str, source: Source = deliveries, **changes: Any) -> Model:
    """The small model with another label, and no guardrails, which are of the old one."""
    otherwise = changes.pop("otherwise", None)
    predicted = label(source, on="parcel_id", value=value, within="24h", objective=objective, otherwise=otherwise)
    return replace(late_parcel, label=predicted, gate=Gate(), **changes)


of_classes: Model = _with(Multiclass(), "outcome", outcomes, otherwise="lost")
of_a_number: Model = _with(Regression("absolute"), "delay", estimator=numbers)
of_quantiles: Model = _with(Regression("squared", quantiles=(0.1, 0.9)), "delay", estimator=numbers)
of_a_ranking: Model = _with(Ranking("search"), "grade", outcomes, request=bids, estimator=numbers)
OTHER_KINDS: Final = (of_classes, of_a_number, of_quantiles, of_a_ranking)
"""Their columns are those of the small model; all have its name."""
