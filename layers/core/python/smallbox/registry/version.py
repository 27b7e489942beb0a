"""A model version: its files, its metrics and its lineage."""

import hashlib
import inspect
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from smallbox.define.model import Model

Status = Literal["refused", "undecided", "registered", "champion", "challenger", "retired", "rolled_back"]
"""``undecided``: the gate or the canary could not decide whether the version is good enough; it does not serve."""


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
        pipeline_key: key of the fitted scikit-learn pipeline, a skops file.
        profile_key: key of its reference profile: inputs of its dataset, scores of the validation rows.
        dataset_key: key of its dataset, a Parquet file.
        data_versions: by table of the lake the commit that the dataset was read from; ``None``: there was no table.
        columns: input columns, in the order in which the model takes them.
        definition: fingerprint of the model's definition.
        dependencies: by package the version that shaped it.
        metrics: metrics on the validation rows, a :class:`~smallbox.documents.metrics.BinaryMetrics`.
        parity: ONNX compared with scikit-learn: ``rows``, ``largest``, ``limit``.
        verdict: the gate's verdict: ``outcome``, ``why``, ``checks`` and more.
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
    definition: str
    dependencies: Mapping[str, str]
    metrics: Mapping[str, Any]
    parity: Mapping[str, Any]
    verdict: Mapping[str, Any] = field(default_factory=dict)
    parent: int | None = None

    def as_json(self) -> dict[str, Any]:
        """The version as a document."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Version":
        """The inverse of :meth:`as_json`."""
        return cls(**document)


def definition_fingerprint(model: Model) -> str:
    """A content hash of what shapes the trained model: fields, features, label, estimator; 16 hexadecimal digits.

    Two definitions with the same fingerprint train the same model from the same data.
    """
    views = {
        v.name: [
            v.entity_fields,
            v.source.name,
            getattr(v, "tile", ""),
            {n: asdict(a) for n, a in v.features.items()},
        ]
        for v in model.views
    }
    fields = {name: asdict(model.request.fields[name]) for name in model.request_fields}
    parts = [model.columns.names, fields, views, asdict(model.label), inspect.getsource(model.estimator)]
    parts += [inspect.getsource(function) for function in model.on_demand]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
