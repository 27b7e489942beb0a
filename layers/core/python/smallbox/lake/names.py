"""The names of the lake's tables, and of columns that several rooms write or read.

Without Arrow, so that a function which only answers requests can import it.
"""

from typing import Final

from smallbox.define.model import Model
from smallbox.define.source import Source

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


def records_table(source: Source) -> str:
    """The append-only log of a source: every version of every record."""
    return f"records/{source.name}"


def current_table(source: Source) -> str:
    """The current version of each record of a source: one row per key."""
    return f"current/{source.name}"


def predictions_table(model: str) -> str:
    """The prediction log of a model."""
    return f"predictions/{model}"


def labelled_table(model: str) -> str:
    """The predictions of a model with their labels."""
    return f"labelled/{model}"


def logged_names(model: Model) -> dict[str, str]:
    """By request field, its column in the prediction log, for the fields that only on-demand features read."""
    return {name: SENT_PREFIX + name for name in model.sent_fields if name not in model.inputs}
