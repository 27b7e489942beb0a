"""What a check of a day finds wrong: the kinds, their severity, and what a person should do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

Layer = Literal["raw", "features", "predictions", "accuracy", "labels", "loop"]

FindingKind = Literal[
    "source_silent",
    "source_flooded",
    "source_stale",
    "records_rejected",
    "missing_values",
    "data_fault",
    "feature_skew",
    "request_skew",
    "covariate_shift",
    "joint_shift",
    "prediction_shift",
    "fallbacks",
    "lost_definition",
    "labels_stalled",
    "labels_jumped",
    "label_coverage",
    "label_shift",
    "concept_shift",
    "loss",
    "guardrail",
    "slice_loss",
    "feedback_loop",
]

Severity = Literal["incident", "notice"]
"""Only an ``incident`` rings an alarm, counts against the budget of false alarms, and may start a training; a
``notice`` stands in the day's report."""

Remedy = Literal["mend the source", "mend the caller", "roll back", "retrain", "mend the system", "nothing"]

LAYERS: Final[Mapping[FindingKind, Layer]] = {
    "source_silent": "raw",
    "source_flooded": "raw",
    "source_stale": "raw",
    "records_rejected": "raw",
    "missing_values": "features",
    "data_fault": "features",
    "feature_skew": "features",
    "request_skew": "features",
    "covariate_shift": "features",
    "joint_shift": "features",
    "prediction_shift": "predictions",
    "fallbacks": "predictions",
    "lost_definition": "features",
    "labels_stalled": "labels",
    "labels_jumped": "labels",
    "label_coverage": "labels",
    "label_shift": "accuracy",
    "concept_shift": "accuracy",
    "loss": "accuracy",
    "guardrail": "accuracy",
    "slice_loss": "accuracy",
    "feedback_loop": "loop",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a check found wrong on one day.

    Attributes:
        kind: what is wrong.
        subject: what it is wrong with: a source, a column, a slice, a figure.
        severity: whether it rings.
        sentence: what was seen, in words, with its numbers.
        remedy: what a person should do.
        effect: the expected rise of the mean loss; ``None`` where it cannot be estimated.
        cause: findings of one cause belong to one incident: the source of the column, for example. By default the kind.
        evidence: the numbers behind the sentence, JSON-ready.
    """

    kind: FindingKind
    subject: str
    severity: Severity
    sentence: str
    remedy: Remedy
    effect: float | None = None
    cause: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)

    @property
    def layer(self) -> Layer:
        """The layer that it was found in."""
        return LAYERS[self.kind]
