"""A model version: what it is made of, how good it is, and where it comes from."""

import hashlib
import inspect
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from smallbox.define.model import Model

Status = Literal["refused", "undecided", "registered", "champion", "challenger", "retired", "rolled_back"]
"""``undecided``: the gate or the canary could not tell whether the version is good enough; it does not serve."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a model, as the registry keeps it.

    Attributes:
        model: the model's name.
        number: counts from 1, in the order of registration.
        status: what became of it.
        as_of: the moment that its training data was known at, ISO 8601.
        reason: why it was trained.
        onnx_key: where the served model lies.
        onnx_sha256: the digest of its bytes; a model with other bytes is never served.
        pipeline_key: where the fitted scikit-learn pipeline lies, as a skops file.
        profile_key: where its reference profile lies: inputs of its dataset, scores of the validation rows.
        dataset_key: where its dataset lies.
        data_versions: the lake's commit of each table that the dataset was read from.
        columns: the columns that it takes, in their order.
        definition: the fingerprint of the model's definition.
        dependencies: the versions of the packages that shaped it.
        metrics: what it showed on the validation rows.
        parity: how far ONNX and scikit-learn differ.
        verdict: the gate's, with reasons.
        parent: the champion that it was compared with.
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
    """A digest of all in a model's definition that shapes what is trained: fields, features, label, estimator.

    Two definitions with one fingerprint train the same model from the same data.
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
