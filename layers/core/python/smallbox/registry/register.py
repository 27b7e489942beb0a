"""The third task of a training run: the gate, and the version's record."""

from collections.abc import Mapping
from typing import Any

from smallbox.define.model import Model
from smallbox.define.project import Project
from smallbox.registry.gate import Verdict, judge
from smallbox.registry.store import Registry
from smallbox.registry.version import Version, fingerprint
from smallbox.times import parse_moment


class RegisterTask:
    """Judges a candidate and registers it, accepted or refused: what was tried is never forgotten."""

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
        judged = {"version": version.number, "accepted": verdict.accepted, "verdict": verdict.as_json()}
        return {**document, **judged}

    def _add(self, model: Model, document: Mapping[str, Any], verdict: Verdict) -> Version:
        champion = document["champion"]
        version = self._registry.add(
            Version(
                model=model.name,
                number=0,
                status="registered" if verdict.accepted else "refused",
                as_of=document["as_of"],
                reason=document["reason"],
                dataset_key=document["dataset"],
                data_versions=document["data_versions"],
                columns=document["columns"],
                definition=fingerprint(model),
                dependencies=document["dependencies"],
                metrics=document["metrics"],
                parity=document["parity"],
                verdict=verdict.as_json(),
                parent=None if champion is None else champion["version"],
                **document["artifacts"],
            )
        )
        details = {"version": version.number, "why": verdict.why, "reason": version.reason}
        self._registry.record(model.name, parse_moment(version.as_of), version.status, details)
        return version
