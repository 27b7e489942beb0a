"""Whether an order is returned: by its own 20 numbers and 2 texts, and by those and 12 features of its two parties."""

from typing import Any, Final

from smallbox.define import (
    Columns,
    FeatureView,
    Model,
    Source,
    boolean,
    count,
    label,
    mean,
    number,
    prepare,
    text,
    timestamp,
)

NUMBERS: Final = tuple(f"x{n}" for n in range(20))
TEXTS: Final = ("shop", "country")
PARTIES: Final = ("seller", "buyer")
LENGTHS: Final = ("1h", "24h", "7d")


def build_trees(columns: Columns) -> Any:
    """100 trees of 8 leaves."""
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415 - only where a model is fitted
    from sklearn.pipeline import Pipeline  # noqa: PLC0415

    trees = HistGradientBoostingClassifier(max_iter=100, max_leaf_nodes=8, random_state=0)
    return Pipeline([("prepare", prepare(columns)), ("trees", trees)])


def _view(party: str) -> FeatureView:
    counts = {f"{party}_count_{length}": count(length) for length in LENGTHS}
    means = {f"{party}_mean_{length}": mean("amount", length) for length in LENGTHS}
    return FeatureView(f"by_{party}", party, returns, counts | means)


orders = Source(
    "orders",
    "order_id",
    "ordered_at",
    {"order_id": text(), "ordered_at": timestamp(), **{name: text() for name in (*TEXTS, *PARTIES)}}
    | {name: number(nullable=True) for name in NUMBERS},
    known_after="0s",
)
returns = Source(
    "returns",
    "order_id",
    "returned_at",
    {"order_id": text(), "returned_at": timestamp(), "amount": number(), "returned": boolean()}
    | {party: text() for party in PARTIES},
    known_after="0s",
)
is_returned = label(returns, on="order_id", value="returned", within="7d")
inputs = (*NUMBERS, *TEXTS)
plain = Model("plain", request=orders, inputs=inputs, label=is_returned, estimator=build_trees)
windows = Model(
    "windows",
    request=orders,
    inputs=inputs,
    label=is_returned,
    views=tuple(_view(party) for party in PARTIES),
    estimator=build_trees,
)
