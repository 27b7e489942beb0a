"""The third task of a training run: the gate, and the version's record; and the record of a run that failed."""

import json
from collections.abc import Mapping
from typing import Any, Final

from smallbox.define.model import Model
from smallbox.define.project import Project
from smallbox.errors import POLICIES, InvalidInput
from smallbox.registry.gate import GateOutcome, Verdict, judge
from smallbox.registry.store import TRAINING_FAILED, Registry
from smallbox.registry.version import Status, Version, definition_fingerprint
from smallbox.times import Micros, asked_moment, format_moment, parse_moment

_STATUS: Final[Mapping[GateOutcome, Status]] = {
    "accepted": "registered",
    "refused": "refused",
    "cannot_tell": "undecided",
}
_OWN_ERRORS: Final = frozenset(error.__name__ for error in POLICIES)


class RegisterTask:
    """Judges a candidate and registers it, whatever the verdict is; what was tried is never forgotten."""

    def __init__(self, project: Project, registry: Registry) -> None:
        self._project = project
        self._registry = registry

    def run(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Pass the run's document on with ``version``, ``accepted`` and the gate's ``verdict``.

        A run that is tried again finds the version that it registered before.
        """
        model = self._project.model(document["model"])
        verdict = judge(
            model.gate,
            document["metrics"],
            document["parity"],
            document["champion"],
            document["labels"],
            document["warnings"],
        )
        version = self._registry.of_model(model.name, document["artifacts"]["onnx_key"]) or self._add(
            model, document, verdict
        )
        self._record(version, verdict)
        judged = {"version": version.number, "accepted": verdict.accepted, "verdict": verdict.as_json()}
        return {**document, **judged}

    def record_failure(self, document: Mapping[str, Any], now: Micros) -> dict[str, Any]:
        """Put into the history that a run failed: ``document["error"]`` is what the state machine caught.

        A run of no ``as_of``, or of one that it was refused for, failed at the present.
        """
        model = self._project.model(document["model"])
        at = _moment_of(document, now)
        details = {"why": failure_sentence(document["error"]), "reason": document.get("reason", "")}
        self._registry.record(model.name, at, TRAINING_FAILED, details)
        return {**document, "as_of": format_moment(at)}

    def _add(self, model: Model, document: Mapping[str, Any], verdict: Verdict) -> Version:
        champion = document["champion"]
        return self._registry.add(
            Version(
                model=model.name,
                number=0,
                status=_STATUS[verdict.outcome],
                as_of=document["as_of"],
                reason=document["reason"],
                dataset_key=document["dataset"],
                data_versions=document["data_versions"],
                columns=document["columns"],
                definition=definition_fingerprint(model),
                dependencies=document["dependencies"],
                metrics=document["metrics"],
                parity=document["parity"],
                verdict=verdict.as_json(),
                parent=None if champion is None else champion["version"],
                **document["artifacts"],
            )
        )

    def _record(self, version: Version, verdict: Verdict) -> None:
        """Write the history for a version that was found, too: the try that added it may have ended before this."""
        details = {"version": version.number, "why": verdict.why, "reason": version.reason}
        self._registry.record(version.model, parse_moment(version.as_of), _STATUS[verdict.outcome], details)


def _moment_of(document: Mapping[str, Any], now: Micros) -> Micros:
    try:
        return asked_moment(document, now)
    except InvalidInput:
        return now


def failure_sentence(error: Mapping[str, Any]) -> str:
    """An error that a state machine caught, in one sentence.

    The text of an error that is not ours may hold values of records, so only its name is told.

    >>> failure_sentence({"Error": "NotReady", "Cause": '{"errorMessage": "no request has a label"}'})
    'no request has a label'
    >>> failure_sentence({"Error": "ValueError", "Cause": '{"errorMessage": "could not convert a@example.org"}'})
    "ValueError; the function's log says where"
    """
    name = str(error.get("Error", "an unknown error"))
    if name not in _OWN_ERRORS:
        return f"{name}; the function's log says where"
    try:
        return str(json.loads(error["Cause"])["errorMessage"])
    except (KeyError, TypeError, ValueError):
        return name
