"""Model versions to vary."""

from dataclasses import replace
from typing import Any

from smallbox.define.frozen import freeze, signature_digest
from smallbox.define.model import Model
from smallbox.features.online.states import version_of
from smallbox.registry.store import Registry
from smallbox.registry.version import Version
from smallbox.times import format_moment
from tests.fakes.small import late_parcel


def version_for(model: Model, **changes: Any) -> Version:
    """An accepted version of a model, with these attributes."""
    version = Version(
        model=model.name,
        number=0,
        status="registered",
        as_of=format_moment(0),
        reason="test",
        onnx_key="1",
        onnx_sha256="",
        pipeline_key="",
        profile_key="profile",
        dataset_key="",
        data_versions={},
        columns=list(model.columns.names),
        signature=signature_digest(model),
        views={view.name: version_of(view) for view in model.views},
        bundle_key="",
        bundle_sha256="",
        definition="",
        dependencies={},
        metrics={},
        baseline={"outputs": [0.5], "loss": 0.6931, "difference": {"value": -0.1, "low": -0.2, "high": -0.05}},
        parity={},
    )
    return replace(version, **changes)


VERSION = version_for(late_parcel)
"""An accepted version of the small model."""


def add_version(registry: Registry, model: Model, **changes: Any) -> Version:
    """Register a version of a model, with its signature."""
    registry.freeze(model.name, signature_digest(model), freeze(model))
    return registry.add(version_for(model, **changes))
