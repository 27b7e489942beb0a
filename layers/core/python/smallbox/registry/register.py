"""The third task of a training run: the gate's verdict and the version's record; and the record of a failed run."""

import json
from collections.abc import Mapping
from typing import Final

from smallbox.define.bundle import Bundle, bundle_of, functions_of
from smallbox.define.frozen import freeze
from smallbox.define.model import Model
from smallbox.define.project import Project
from smallbox.documents.gate_verdict import GateOutcome
from smallbox.documents.training_run import FailedRun, FittedRun, RegisteredRun
from smallbox.error_codes import POLICIES
from smallbox.errors import InvalidInput
from smallbox.features.online.states import version_of
from smallbox.ports import Blobs
from smallbox.registry.gate import CandidateEvidence, Verdict, judge
from smallbox.registry.signatures import bundle_key, check_unchanged
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
    """Judges a candidate and registers it, whatever the verdict: refused versions stay on record."""

    def __init__(self, project: Project, registry: Registry, blobs: Blobs) -> None:
        self._project = project
        self._registry = registry
        self._blobs = blobs

    def run(self, document: FittedRun) -> RegisteredRun:
        """Pass the run's document on with ``version``, ``accepted`` and the gate's ``verdict``.

        Idempotent: a run that is retried finds the version that it registered before.

        Raises:
            NotReady: when the definition has been changed since the run began.
        """
        model = self._project.model(document["model"])
        check_unchanged(model, document["signature"])
        verdict = judge(model.gate, _evidence(document))
        known = self._registry.with_onnx(model.name, document["artifacts"]["onnx_key"], document["signature"])
        version = known or self._add(model, document, verdict)
        self._record(version, verdict)
        return {
            **document,
            "version": version.number,
            "accepted": verdict.accepted,
            "verdict": verdict.as_json(),
        }

    def record_failure(self, document: FailedRun, now: Micros) -> FailedRun:
        """Record in the model's history that a run failed, as of its ``as_of``; of ``now`` if that is not valid."""
        model = self._project.model(document["model"])
        at = _moment_of(document, now)
        details = {"why": failure_sentence(document["error"]), "reason": document.get("reason", "")}
        self._registry.record(model.name, at, TRAINING_FAILED, details)
        return {**document, "as_of": format_moment(at)}

    def _add(self, model: Model, document: FittedRun, verdict: Verdict) -> Version:
        champion = document["champion"]
        bundle = self._stored_bundle(model)
        self._registry.freeze(model.name, document["signature"], freeze(model))
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
                signature=document["signature"],
                views={view.name: version_of(view) for view in model.views},
                bundle_key="" if bundle is None else bundle_key(bundle),
                bundle_sha256="" if bundle is None else bundle.digest,
                definition=definition_fingerprint(model),
                dependencies=document["dependencies"],
                metrics=document["metrics"],
                baseline=document["baseline"],
                parity=document["parity"],
                verdict=verdict.as_json(),
                parent=None if champion is None else champion["version"],
                **document["artifacts"],
            )
        )

    def _stored_bundle(self, model: Model) -> Bundle | None:
        """Store the on-demand functions; run once before, so that what cannot be run is found here.

        Raises:
            NotReady: when the stored source would not run.
        """
        if not model.on_demand:
            return None
        bundle = bundle_of(model.on_demand)
        functions_of(bundle.content, bundle.digest)
        self._blobs.put(bundle_key(bundle), bundle.content)
        return bundle

    def _record(self, version: Version, verdict: Verdict) -> None:
        """Record the verdict, also of a version that was found: the try that added it may have failed before this."""
        details = {"version": version.number, "why": verdict.why, "reason": version.reason}
        self._registry.record(version.model, parse_moment(version.as_of), _STATUS[verdict.outcome], details)


def _evidence(document: FittedRun) -> CandidateEvidence:
    return CandidateEvidence(
        document["metrics"],
        document["baseline"],
        document["champion"],
        document["parity"],
        document["labels"],
        document["warnings"],
    )


def _moment_of(document: FailedRun, now: Micros) -> Micros:
    try:
        return asked_moment(document, now)
    except InvalidInput:
        return now


def failure_sentence(error: Mapping[str, str]) -> str:
    """One sentence about an error that the state machine caught.

    Errors of other libraries show only their name: their text may hold values of records.

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
