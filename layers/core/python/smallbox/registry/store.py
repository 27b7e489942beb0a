"""The model registry: versions, routing, and the history of both."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

from smallbox.errors import Conflict, NotFound
from smallbox.ports import Documents
from smallbox.registry.routing import Routing
from smallbox.registry.version import Status, Version
from smallbox.times import Micros, format_moment

TRAINING_FAILED: Final = "training_failed"
"""The event in a model's history for a training run that ended without a version."""

_ROUTING = "routing"
_ATTEMPTS = 5


def _partition(model: str) -> str:
    return f"model#{model}"


def _version_key(number: int) -> str:
    return f"version#{number:06d}"


def _experiment_key(name: str) -> str:
    return f"experiment#{name}"


def _signature_key(digest: str) -> str:
    return f"signature#{digest}"


def _by_hand(details: Mapping[str, Any]) -> str:
    """Tells changes by hand apart that a replay makes at one simulated moment."""
    if "who" not in details:
        return ""
    return f"#{hashlib.sha256(json.dumps([details['who'], details.get('why')]).encode()).hexdigest()[:8]}"


class Registry:
    """Versions and routing of every model, over a document store."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def versions(self, model: str) -> Sequence[Version]:
        """All versions of a model, oldest first."""
        return [Version.from_json(d) for d in self._documents.query(_partition(model), "version#")]

    def get(self, model: str, number: int) -> Version:
        """One version; :class:`NotFound` when there is none of that number."""
        document = self._documents.get(_partition(model), _version_key(number))
        if document is None:
            raise NotFound(f"model {model!r} has no version {number}", model=model, version=number)
        return Version.from_json(document)

    def with_onnx(self, model: str, onnx_key: str, signature: str) -> Version | None:
        """The version with these ONNX bytes and this signature, if there is one: how a retried run finds its own."""
        return next((v for v in self.versions(model) if v.onnx_key == onnx_key and v.fits(signature)), None)

    def add(self, version: Version) -> Version:
        """Register a version under the next free number; its own ``number`` is ignored.

        Optimistic concurrency: a conditional write, tried again when another writer took the number.

        Raises:
            Conflict: when other writers took the number in every attempt.
        """
        for _ in range(_ATTEMPTS):
            numbered = replace(version, number=len(self.versions(version.model)) + 1)
            try:
                self._documents.put_new(_partition(version.model), _version_key(numbered.number), numbered.as_json())
            except Conflict:
                continue
            return numbered
        raise Conflict(
            f"other versions of {version.model!r} were registered in all {_ATTEMPTS} attempts; try again",
            model=version.model,
        )

    def freeze(self, model: str, digest: str, signature: Mapping[str, Any]) -> None:
        """Store a frozen signature under its digest; one that is stored already stays as it is."""
        with suppress(Conflict):
            self._documents.put_new(_partition(model), _signature_key(digest), signature)

    def frozen(self, model: str, digest: str) -> Mapping[str, Any]:
        """A frozen signature.

        Raises:
            NotFound: when it is not stored.
        """
        document = self._documents.get(_partition(model), _signature_key(digest))
        if document is None:
            raise NotFound(f"model {model!r} has no signature {digest!r}; train again", model=model)
        return document

    def set_status(self, model: str, number: int, status: Status) -> None:
        """Overwrite the status of a version."""
        version = replace(self.get(model, number), status=status)
        self._documents.put(_partition(model), _version_key(number), version.as_json())

    def routing(self, model: str, within: Micros | None = None) -> Routing | None:
        """Which versions serve; ``None`` before the first champion. ``within`` is the longest time to wait."""
        document = self._documents.get(_partition(model), _ROUTING, within)
        return None if document is None else Routing.from_json(document)

    def champion(self, model: str) -> Version | None:
        """The version that answers by default; ``None`` before the first champion."""
        routing = self.routing(model)
        return None if routing is None else self.get(model, routing.champion)

    def route(self, model: str, routing: Routing) -> None:
        """Replace the routing: a conditional write on the revision that was read.

        Raises:
            Conflict: when another writer has changed the routing since.
        """
        self._documents.swap(_partition(model), _ROUTING, routing.as_json(), routing.revision)

    def experiments(self, model: str) -> Sequence[Mapping[str, Any]]:
        """The documents of a model's experiments, ordered by name; each has its ``revision``."""
        return self._documents.query(_partition(model), _experiment_key(""))

    def experiment(self, model: str, name: str) -> Mapping[str, Any] | None:
        """The document of one experiment with its ``revision``; ``None`` when there is none."""
        return self._documents.get(_partition(model), _experiment_key(name))

    def keep_experiment(self, model: str, name: str, document: Mapping[str, Any]) -> None:
        """Store an experiment's document: a conditional write on the revision that was read, 0 for a new one.

        Raises:
            Conflict: when another writer has changed it since.
        """
        self._documents.swap(_partition(model), _experiment_key(name), document, document.get("revision", 0))

    def record(self, model: str, at: Micros, event: str, details: Mapping[str, Any]) -> None:
        """Add an event to the history of the model, or of its version ``details["version"]``.

        Idempotent: the key is moment, event and version, and of a change by hand who made it and why.
        """
        document = {"at": format_moment(at), "event": event, **details}
        key = f"history#{at:020d}#{event}#{details.get('version', 0):06d}{_by_hand(details)}"
        self._documents.put(_partition(model), key, document)

    def history(self, model: str) -> Sequence[Mapping[str, Any]]:
        """The events of the model, oldest first."""
        return self._documents.query(_partition(model), "history#")
