"""What a person does to an incident: acknowledge it, or close it."""

from collections.abc import Mapping
from typing import Any, Final

from smallbox.errors import InvalidInput
from smallbox.monitoring.incidents import IncidentBook
from smallbox.ports import Documents
from smallbox.times import Micros

INCIDENT_ACTIONS: Final = ("acknowledge", "close")


class ResolveTask:
    """Acknowledges or closes an incident; its story keeps who and why."""

    def __init__(self, metrics: Documents) -> None:
        self._book = IncidentBook(metrics)

    def run(self, document: Mapping[str, Any], now: Micros) -> dict[str, Any]:
        """Apply ``document["action"]`` to ``document["incident"]``, with ``by`` and ``why``; the incident.

        Raises:
            InvalidInput: unknown action, no name or reason, or an incident that is closed is acknowledged.
            NotFound: no such incident.
        """
        action, id_ = document.get("action"), str(document["incident"])
        by, why = (str(document.get(name) or "") for name in ("by", "why"))
        if action == "acknowledge":
            return self._book.acknowledge(id_, by, why, now).as_json()
        if action == "close":
            return self._book.close(id_, by, why, now).as_json()
        raise InvalidInput(f"action must be one of {', '.join(INCIDENT_ACTIONS)}, not {action!r}")
