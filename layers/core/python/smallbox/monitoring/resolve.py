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
            InvalidInput: no incident is named, unknown action, no name or reason, or a closed incident is acknowledged.
            NotFound: no such incident.
        """
        action = document.get("action")
        id_, by, why = (str(document.get(name) or "") for name in ("incident", "by", "why"))
        if not id_:
            raise InvalidInput("incident is missing; `smallbox incidents` lists their ids", field="incident")
        if action == "acknowledge":
            return self._book.acknowledge(id_, by, why, now).as_json()
        if action == "close":
            return self._book.close(id_, by, why, now).as_json()
        raise InvalidInput(f"action must be one of {', '.join(INCIDENT_ACTIONS)}, not {action!r}")
