"""The model store: versions, who serves, and the history of both."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from smallbox.errors import Conflict, NotFound
from smallbox.ports import Documents
from smallbox.registry.routing import Routing
from smallbox.registry.version import Status, Version
from smallbox.times import Micros, format_moment

TRAINING_FAILED: Final = "training_failed"
"""The event in a model's history that says that a run ended without a version."""

_ROUTING = "routing"
_ATTEMPTS = 5


def _partition(model: str) -> str:
    return f"model#{model}"


def _version_key(number: int) -> str:
    return f"version#{number:06d}"


class Registry:
    """Versions and routing of every model, over a document store."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def versions(self, model: str) -> Sequence[Version]:
        """All versions of a model, oldest first."""
        return [Version.from_json(d) for d in self._documents.query(_partition(model), "version#")]

    def get(self, model: str, number: int) -> Version:
        """One version, or :class:`NotFound`."""
        document = self._documents.get(_partition(model), _version_key(number))
        if document is None:
            raise NotFound(f"model {model!r} has no version {number}", model=model, version=number)
        return Version.from_json(document)

    def of_model(self, model: str, onnx_key: str) -> Version | None:
        """The version of those very model bytes, where there is one: a run that is retried finds its own."""
        return next((v for v in self.versions(model) if v.onnx_key == onnx_key), None)

    def add(self, version: Version) -> Version:
        """Register a version under the next free number, which replaces the one that it brings.

        Raises:
            Conflict: when others registered versions of the model in every attempt.
        """
        for _ in range(_ATTEMPTS):
            numbered = replace(version, number=len(self.versions(version.model)) + 1)
            try:
                self._documents.put_new(_partition(version.model), _version_key(numbered.number), numbered.as_json())
            except Conflict:
                continue
            return numbered
        raise Conflict(f"versions of {version.model!r} are being registered faster than this one", model=version.model)

    def set_status(self, model: str, number: int, status: Status) -> None:
        """Say what became of a version."""
        version = replace(self.get(model, number), status=status)
        self._documents.put(_partition(model), _version_key(number), version.as_json())

    def routing(self, model: str) -> Routing | None:
        """Who serves; ``None`` before the first champion."""
        document = self._documents.get(_partition(model), _ROUTING)
        return None if document is None else Routing(**document)

    def route(self, model: str, routing: Routing) -> None:
        """Change who serves, from the routing of the revision that was read.

        Raises:
            Conflict: when it was changed meanwhile.
        """
        self._documents.swap(_partition(model), _ROUTING, routing.as_json(), routing.revision)

    def record(self, model: str, at: Micros, event: str, details: Mapping[str, Any]) -> None:
        """Add to the history: what happened to the model, or to ``details["version"]`` of it, when, and why.

        Recording it again changes nothing; the same event of two versions at one moment is two lines.
        """
        document = {"at": format_moment(at), "event": event, **details}
        key = f"history#{at:020d}#{event}#{details.get('version', 0):06d}"
        self._documents.put(_partition(model), key, document)

    def history(self, model: str) -> Sequence[Mapping[str, Any]]:
        """All that happened to the model, oldest first."""
        return self._documents.query(_partition(model), "history#")
