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

OUTPUT: Final = "score"
"""The prediction log has a column of this name for the output of a model, or columns ``score_<name>`` for several."""

OUTPUT_PREFIX: Final = f"{OUTPUT}_"

GROUP: Final = "group"
"""The prediction log of a ranking has a column of this name: the rows that are ranked together."""

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
    "missing": "texts",
    "degraded": "texts",
}
"""The columns of every prediction log: the request, who answered, the names of missing stored features, and the causes
for which it was not answered as usual; see :data:`smallbox.records.Cause`."""

RANKED_COLUMNS: Final[Mapping[str, Literal["text", "number", "integer", "boolean"]]] = {
    "list_position": "integer",
    "propensity": "number",
    "randomised": "boolean",
    "block_rows": "integer",
    "interleaving": "text",
    "assigned_unit": "text",
    "own_rank": "integer",
    "other_rank": "integer",
}
"""The columns that the log of a ranking has for rows of an ordered list; null for all others.

``list_position`` counts from 1. ``propensity`` is the probability that the row stands there, over the coins of the
interleaving or of the exploration. ``randomised`` says whether the exploration shuffled the list, ``block_rows`` how
many rows may change places with this one, itself counted. ``interleaving`` is the name of the experiment,
``assigned_unit`` its unit, ``own_rank`` the rank of the row by the version that put it there, and ``other_rank`` that
by the other version.
"""

INTERLEAVING: Final = "interleaving"
"""Of :data:`RANKED_COLUMNS` the one that is not null in a list of two versions."""

JOIN_COLUMNS: Final[Mapping[str, ColumnType]] = {
    SETTLES_FROM: "timestamp",
    "label_known_at": "timestamp",
    "status": "text",
    JOINED_AS_OF: "timestamp",
}
"""The columns that the label join adds beside the label."""

LABEL_COLUMNS: Final[Mapping[str, ColumnType]] = {
    **JOIN_COLUMNS,
    "label": "boolean",
    "label_text": "text",
    "label_number": "number",
}
"""The columns that the label join adds: to predictions, and with some of them to the requests of a dataset.

The label is in the column of its type; see ``label_column`` of :class:`smallbox.objectives.objective.Objective`.
"""

_USED_BY: Final[Mapping[str, str]] = {
    **{name: f"the prediction log has a column {name!r} of its own" for name in LOG_COLUMNS},
    OUTPUT: f"the prediction log has a column {OUTPUT!r} of its own",
    GROUP: f"the prediction log has a column {GROUP!r} of its own",
    **{name: f"the label join adds a column {name!r}" for name in LABEL_COLUMNS},
}

_USED_FROM: Final[Mapping[str, str]] = {
    OUTPUT_PREFIX: f"the prediction log names outputs {OUTPUT_PREFIX}<name>",
    ENTITY_PREFIX: f"the prediction log names the entity of each view {ENTITY_PREFIX}<view>",
    SENT_PREFIX: f"the prediction log names a field that only on-demand features read {SENT_PREFIX}<field>",
}


def reserved_in_rankings(name: str) -> str | None:
    """Why no input or feature of a ranking may have this name; ``None`` when it may."""
    return f"the log of ordered lists has a column {name!r} of its own" if name in RANKED_COLUMNS else None


def is_output(name: str) -> bool:
    """Whether a column of the log holds an output.

    >>> is_output("score"), is_output("score_q10"), is_output("group")
    (True, True, False)
    """
    return name == OUTPUT or name.startswith(OUTPUT_PREFIX)


def is_scored(name: str) -> bool:
    """Whether a column of the log holds an output, or the group that an output ranks.

    >>> is_scored("score"), is_scored("score_q10"), is_scored("group"), is_scored("scored_goals")
    (True, True, True, False)
    """
    return name == GROUP or is_output(name)


def reserved_because(name: str) -> str | None:
    """Why no input or feature may have this name; ``None`` when it may.

    >>> reserved_because("score"), reserved_because("weight")
    ("the prediction log has a column 'score' of its own", None)
    """
    begun = (why for prefix, why in _USED_FROM.items() if name.startswith(prefix))
    return _USED_BY.get(name) or next(begun, None)
