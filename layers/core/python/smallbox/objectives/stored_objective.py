"""Reads the objective of a stored document: that of a version's frozen signature."""

import importlib
from collections.abc import Mapping
from typing import Any

from smallbox.errors import DefinitionError, NotReady
from smallbox.objectives.objective import Objective


def objective_of(document: Mapping[str, Any]) -> Objective:
    """The objective of a document: the class of that kind in the module ``smallbox.objectives.<kind>``.

    Raises:
        NotReady: when this release does not have the kind, or one with these arguments.
    """
    values = dict(document)
    kind = values.pop("kind")
    try:
        module = importlib.import_module(f"smallbox.objectives.{kind}")
        found: type[Objective] = next(
            one for one in vars(module).values() if isinstance(one, type) and getattr(one, "kind", None) == kind
        )
        return found.from_json(values)
    except (ImportError, StopIteration, TypeError, DefinitionError) as error:
        asked = f"{kind!r}{_said(values)}"
        raise NotReady(f"this release has no objective {asked}; deploy one that has it, or train again") from error


def _said(values: Mapping[str, Any]) -> str:
    arguments = ", ".join(f"{name}={value!r}" for name, value in values.items())
    return f" with {arguments}" if arguments else ""
