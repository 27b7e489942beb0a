"""The names of the lake's tables.

Without Arrow, so that a function which only answers requests can import it.
"""

from smallbox.define.source import Source


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


def restated_table(model: str) -> str:
    """What became known of labelled predictions after they were settled."""
    return f"restated/{model}"


def exposures_table(model: str) -> str:
    """The units of a model's experiments: who was answered by which version first, and when."""
    return f"exposures/{model}"
