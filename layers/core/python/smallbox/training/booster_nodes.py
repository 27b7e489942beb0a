"""What the conversions of LightGBM and XGBoost share: a check of settings, and a hook into the tree node."""

from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from smallbox.errors import DefinitionError

Change = Callable[[dict[str, Any]], None]
"""Changes the attributes of a tree node, in place."""


_TREES_VERSION: Final = 1
"""Of the tree operators, as in scikit-learn's trees; left open, skl2onnx takes one that it then refuses."""


class Setting(NamedTuple):
    """A setting of a fitted booster.

    Attributes:
        name: of the parameter.
        value: what it is.
        exported: the values that the conversion gets right.
    """

    name: str
    value: str
    exported: tuple[str, ...]


def check_settings(booster: Any, settings: Iterable[Setting]) -> None:
    """Refuse settings whose conversion is missing or wrong.

    Raises:
        DefinitionError: names the setting and the values to write instead.
    """
    for name, value, exported in settings:
        if value not in exported:
            raise DefinitionError(
                f"{type(booster).__name__} with {name}={value} cannot be exported to ONNX; "
                f"write {name}={' or '.join(exported)}"
            )


class TreeContainer:
    """skl2onnx's container of nodes; changes tree nodes on their way in, while thresholds are still float64."""

    def __init__(self, container: Any, change: Change) -> None:
        self._container = container
        self._change = change

    def __getattr__(self, name: str) -> Any:
        """Everything but ``add_node`` is the container's own."""
        return getattr(self._container, name)

    def add_node(self, kind: str, inputs: Any, outputs: Any, **attributes: Any) -> None:
        """Add a node; see skl2onnx."""
        if kind.startswith("TreeEnsemble"):
            attributes["op_version"] = _TREES_VERSION
            self._change(attributes)
        self._container.add_node(kind, inputs, outputs, **attributes)
