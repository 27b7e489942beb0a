"""The columns that the tables about predictions have of their own, by name and type.

A model's inputs and features are columns of the prediction log and of the datasets too, so none of them may have one of
these names. The definition refuses it, and the schemas of :mod:`smallbox.lake.schemas` are built from here.
"""

from collections.abc import Mapping
from typing import Final, Literal

ColumnType = Literal["text", "number", "integer", "boolean", "timestamp", "texts"]
"""The type of a column of the lake: that of a field, or a list of texts."""

ENTITY_PREFIX: Final = "entity_"
"""The prediction log has a column of this prefix for each view: the entity that was read."""

SENT_PREFIX: Final = "sent_"
"""The prediction log has a column of this prefix for each request field that only on-demand features read."""

SETTLES_FROM: Final = "settles_from"
"""A column of the labelled predictions: the later of the request's moment and its event time.

No label counts before it, and the attribution window is over ``within`` after it at the latest.
"""

JOINED_AS_OF: Final = "joined_as_of"
"""A column of the labelled predictions: the moment of the join that wrote the row."""

LOG_COLUMNS: Final[Mapping[str, ColumnType]] = {
    "id": "text",
    "key": "text",
    "time": "timestamp",
    "event_time": "timestamp",
    "served_at": "timestamp",
    "version": "integer",
    "arm": "text",
    "channel": "text",
    "score": "number",
    "missing": "texts",
}
"""The columns of every prediction log: the request, the answer, and the names of missing stored features."""

LABEL_COLUMNS: Final[Mapping[str, ColumnType]] = {
    SETTLES_FROM: "timestamp",
    "label": "boolean",
    "label_known_at": "timestamp",
    "status": "text",
    JOINED_AS_OF: "timestamp",
}
"""The columns that the label join adds: to predictions, and with some of them to the requests of a dataset."""

_USED_BY: Final[Mapping[str, str]] = {
    **{name: f"the prediction log has a column {name!r} of its own" for name in LOG_COLUMNS},
    **{name: f"the label join adds a column {name!r}" for name in LABEL_COLUMNS},
}

_USED_FROM: Final[Mapping[str, str]] = {
    ENTITY_PREFIX: f"the prediction log names the entity of each view {ENTITY_PREFIX}<view>",
    SENT_PREFIX: f"the prediction log names a field that only on-demand features read {SENT_PREFIX}<field>",
}


def reserved_because(name: str) -> str | None:
    """Why no input or feature may have this name; ``None`` when it may.

    >>> reserved_because("score"), reserved_because("weight")
    ("the prediction log has a column 'score' of its own", None)
    """
    begun = (why for prefix, why in _USED_FROM.items() if name.startswith(prefix))
    return _USED_BY.get(name) or next(begun, None)
