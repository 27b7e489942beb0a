"""The objective of a label that declares none, by the type of its field."""

from collections.abc import Mapping
from typing import Final

from smallbox.objectives.binary import Binary
from smallbox.objectives.multiclass import Multiclass
from smallbox.objectives.objective import Objective
from smallbox.objectives.regression import Regression

_BY_TYPE: Final[Mapping[str, Objective]] = {
    "boolean": Binary(),
    "text": Multiclass(),
    "number": Regression(),
    "integer": Regression(),
}


def default_objective(field_type: str) -> Objective | None:
    """The objective of a label whose field has this type; ``None`` when such a label must declare one.

    >>> default_objective("boolean"), default_objective("timestamp")
    (Binary(), None)
    """
    return _BY_TYPE.get(field_type)
