"""The definition of a small shop: searches of visitors, their clicks, and a model that orders what was found.

A test on the local stack deploys this file as one module of definitions.
"""

from typing import Any

from smallbox.define import (
    Columns,
    Exploration,
    Model,
    Ranking,
    Source,
    integer,
    label,
    number,
    prepare,
    text,
    timestamp,
)

found = Source(
    "found",
    key="found_id",
    time="found_at",
    fields={
        "found_id": text(),
        "found_at": timestamp(),
        "search_id": text(),
        "visitor": text(),
        "relevance": number(),
    },
    known_after="0s",
)
clicks = Source(
    "clicks",
    key="found_id",
    time="clicked_at",
    fields={"found_id": text(), "clicked_at": timestamp(), "grade": integer(minimum=0, maximum=1)},
    known_after="0s",
)


def trees(columns: Columns) -> Any:
    """A few small trees; the test registers versions that were never trained."""
    from sklearn.ensemble import HistGradientBoostingRegressor  # noqa: PLC0415
    from sklearn.pipeline import Pipeline  # noqa: PLC0415

    return Pipeline([("prepare", prepare(columns)), ("trees", HistGradientBoostingRegressor(max_iter=20))])


search_rank = Model(
    "search_rank",
    request=found,
    inputs=("relevance",),
    label=label(clicks, on="found_id", value="grade", within="1h", objective=Ranking("search_id"), otherwise=0),
    estimator=trees,
    exploration=Exploration(share=1.0, within=2),
)
