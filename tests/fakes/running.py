"""A system that answers at once and remembers what it was asked, in order."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from smallbox.errors import Unavailable


@dataclass
class RecordingSystem:
    """Stands in for ``smallbox.cli.system.System``.

    Attributes:
        verdict: what the gate says of every training.
        retrain: whether each day decides to train.
        failing: why the trainings that a day decides on fail; empty when they do not.
        is_stuck: whether the queues never drain.
        calls: what was asked, in order: the name of the method and what tells the calls apart.
    """

    verdict: Mapping[str, Any] = field(default_factory=lambda: {"accepted": True, "why": "every check passed"})
    retrain: bool = False
    failing: str = ""
    is_stuck: bool = False
    calls: list[tuple[str, Any]] = field(default_factory=list)

    def send(self, source: str, lines: Sequence[str], as_of: str) -> Mapping[str, Any]:
        self.calls.append(("send", (source, as_of, len(lines))))
        return {"accepted": len(lines), "rejected": []}

    def predict(self, _model: str, lines: Sequence[str], as_of: str) -> Sequence[Mapping[str, Any]]:
        self.calls.append(("predict", (as_of, len(lines))))
        return [{} for _ in lines]

    def drain(self, queues: Sequence[str] = ("all",), seconds: float = 0) -> None:
        if self.is_stuck:
            raise Unavailable(f"EventsQueue did not drain within {seconds:.0f} s")
        self.calls.append(("drain", len(queues)))

    def upkeep(self, as_of: str, *, only_when_due: bool) -> Mapping[str, Any]:
        self.calls.append(("upkeep", (as_of, only_when_due)))
        return {"due": None}

    def upload(self, key: str, file: Path) -> None:
        self.calls.append(("upload", (key.split("/", maxsplit=1)[0], len(file.read_text().splitlines()))))

    def wait_for_object(self, _bucket: str, _key: str, _seconds: float = 0, _meanwhile: Any = None) -> bytes:
        return json.dumps({"accepted": 1, "rejected": 0, "scored": 1}).encode()

    def run(self, machine: str, document: Mapping[str, Any]) -> Mapping[str, Any]:
        self.calls.append((machine, document["as_of"]))
        if machine == "TrainingMachine":
            return self._training()
        decision = {"train": self.retrain, "why": "asked for", **({"execution": "arn"} if self.retrain else {})}
        checked = {"day": document["as_of"], "breaches": {}, "incidents": []}
        return {**checked, "release": {"action": "none"}, "retraining": decision}

    def wait_for_execution(self, _arn: str) -> Mapping[str, Any]:
        if self.failing:
            raise Unavailable(self.failing)
        return self._training()

    def champion(self, _model: str) -> int | None:
        return 1 if self.verdict["accepted"] else None

    def dead_letters(self) -> int:
        return 0

    def _training(self) -> Mapping[str, Any]:
        figure = {"value": 0.5, "low": 0.4, "high": 0.6}
        metrics = {"rows": 100, "rarer_rows": 40, "loss_name": "log loss", "loss": figure, "figures": {"auc": figure}}
        baseline = {"outputs": [0.5], "loss": 0.69, "difference": figure}
        return {
            "model": "late_parcel",
            "version": 1,
            "metrics": metrics,
            "baseline": baseline,
            "accepted": self.verdict["accepted"],
            "verdict": self.verdict,
        }
