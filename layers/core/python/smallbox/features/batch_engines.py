"""The batch engine of each kind of view, and the lake columns it reads."""

from collections.abc import Mapping
from typing import Any, Final

from smallbox.define.attributes import Attributes, View
from smallbox.define.view import FeatureView
from smallbox.features.attributes.batch import ATTRIBUTE_BATCH
from smallbox.features.engine import BatchEngine
from smallbox.features.state_engines import state_engine_of
from smallbox.features.windows.batch import WINDOW_BATCH

_ENGINES: Final[Mapping[type, BatchEngine[Any, Any]]] = {FeatureView: WINDOW_BATCH, Attributes: ATTRIBUTE_BATCH}

RESERVED_COLUMNS: Final = ("key", "time", "known_at", "received_at", "digest")
"""The columns that every view needs: those of :func:`~smallbox.lake.history.history`."""


def batch_engine_of(view: View) -> BatchEngine[Any, Any]:
    """The engine that computes a view from the lake."""
    return next(engine for kind, engine in _ENGINES.items() if isinstance(view, kind))


def columns_needed(view: View) -> list[str]:
    """The columns of the source's table that a view needs."""
    read = (*view.entity_fields, *state_engine_of(view).fields(view))
    return [*dict.fromkeys((*RESERVED_COLUMNS, *read))]
