"""The online engine of each kind of view."""

from collections.abc import Mapping
from typing import Any, Final

from smallbox.define.attributes import Attributes, View
from smallbox.define.view import FeatureView
from smallbox.features.attributes.state import ATTRIBUTE_STATES
from smallbox.features.engine import StateEngine
from smallbox.features.windows.state import WINDOW_STATES

_ENGINES: Final[Mapping[type, StateEngine[Any, Any]]] = {FeatureView: WINDOW_STATES, Attributes: ATTRIBUTE_STATES}


def state_engine_of(view: View) -> StateEngine[Any, Any]:
    """The engine that keeps the states of a view."""
    return next(engine for kind, engine in _ENGINES.items() if isinstance(view, kind))
