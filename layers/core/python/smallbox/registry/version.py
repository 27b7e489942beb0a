"""A model version: its files, its metrics and its lineage."""

import hashlib
import inspect
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from smallbox.define.frozen import signature_digest
from smallbox.define.model import Model

Status = Literal["refused", "undecided", "registered", "shadow", "champion", "challenger", "retired", "rolled_back"]
"""``undecided``: the gate or a rung of the release could not tell whether it is good enough; it does not serve.
``shadow``: it is judged on logged requests, and answers nobody.
"""


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a model, as the registry keeps it.

    Attributes:
        model: the model's name.
        number: version number, from 1, in the order of registration.
        status: where it is in its life.
        as_of: moment up to which its training data was known, ISO 8601.
        reason: why it was trained.
        onnx_key: key of the served model.
        onnx_sha256: SHA-256 of its bytes; other bytes are never served.
        pipeline_key: key of the fitted scikit-learn pipelines, a skops file.
        profile_key: key of its reference profile: inputs of its dataset, outputs for the validation rows.
        dataset_key: key of its dataset, a Parquet file.
        data_versions: by table of the lake the commit that the dataset was read from; ``None``: there was no table.
        columns: input columns, in the order in which the model takes them.
        signature: digest of the definition that it was trained with; the registry keeps it frozen.
        views: by name the version of each view that it reads.
        bundle_key: key of the source of its on-demand functions; empty when it has none.
        bundle_sha256: SHA-256 of that; other bytes are never run.
        definition: fingerprint of what shapes the trained model: the signature and the estimator.
        dependencies: by package the version that shaped it.
        metrics: metrics on the validation rows, a :class:`~smallbox.documents.metrics.Metrics`.
        baseline: the best constant outputs and their loss on these rows, a
            :class:`~smallbox.documents.metrics.BaselineComparison`; empty when an earlier release trained it.
        parity: ONNX compared with scikit-learn: ``rows``, ``largest``, ``limit``.
        verdict: the gate's verdict: ``outcome``, ``why``, ``checks`` and more.
        explainer_key: key of what explains its answers, a numpy file; empty when an earlier release trained it.
        explainer_sha256: SHA-256 of that; other bytes are never used.
        reference_key: key of its reference by day, a :class:`~smallbox.profiles.stored.ReferenceDays`; empty when an
            earlier release trained it.
        parent: version number of the champion that it was compared with; ``None`` without one.
    """

    model: str
    number: int
    status: Status
    as_of: str
    reason: str
    onnx_key: str
    onnx_sha256: str
    pipeline_key: str
    profile_key: str
    dataset_key: str
    data_versions: Mapping[str, int | None]
    columns: list[str]
    signature: str
    views: Mapping[str, str]
    bundle_key: str
    bundle_sha256: str
    definition: str
    dependencies: Mapping[str, str]
    metrics: Mapping[str, Any]
    parity: Mapping[str, Any]
    baseline: Mapping[str, Any] = field(default_factory=dict)
    verdict: Mapping[str, Any] = field(default_factory=dict)
    explainer_key: str = ""
    explainer_sha256: str = ""
    reference_key: str = ""
    parent: int | None = None

    def as_json(self) -> dict[str, Any]:
        """The version as a document."""
        return asdict(self)

    def fits(self, signature: str) -> bool:
        """Whether the version was trained with this signature: whether its answers mean the same."""
        return self.signature == signature

    @property
    def is_outdated(self) -> bool:
        """Whether an earlier release exported it: this one cannot load its model, nor compare with it."""
        return not self.baseline

    @property
    def baseline_outputs(self) -> tuple[float, ...]:
        """The best constant outputs for its training labels; empty when it is outdated."""
        return tuple(self.baseline.get("outputs", ()))

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Version":
        """The inverse of :meth:`as_json`."""
        return cls(**document)


def definition_fingerprint(model: Model) -> str:
    """A content hash of what shapes the trained model, its signature and its estimator; 16 hexadecimal digits.

    Two definitions with the same fingerprint train the same model from the same data.
    """
    parts = [signature_digest(model), inspect.getsource(model.estimator)]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
