"""The names of the lake's tables, and of columns that several rooms write or read.

Without Arrow, so that a function which only answers requests can import it.
"""

from typing import Final

from smallbox.define.fields import FieldType
from smallbox.define.signature import Signature
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


def logged_names(signature: Signature) -> dict[str, str]:
    """By request field, its column in the prediction log, for the fields that only on-demand features read."""
    return {name: SENT_PREFIX + name for name in signature.sent_fields if name not in signature.inputs}


def logged_types(signature: Signature) -> dict[str, FieldType]:
    """The columns of the prediction log that depend on the signature, with their types.

    The inputs, the sent fields that only on-demand features read, and the entity of each view.
    """
    columns: dict[str, FieldType] = dict.fromkeys(signature.columns.numeric, "number")
    columns |= dict.fromkeys(signature.columns.categorical, "text")
    columns |= {column: signature.request.fields[name].type for name, column in logged_names(signature).items()}
    return columns | {ENTITY_PREFIX + view.name: "text" for view in signature.views}
