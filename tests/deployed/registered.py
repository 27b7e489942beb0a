"""Versions that were never trained, put into the registry of a running system by the account's root."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from smallbox.arrays import Floats
from smallbox.aws.blobs import S3Blobs
from smallbox.aws.documents import DynamoDocuments
from smallbox.cli.system import System
from smallbox.define.bundle import bundle_of
from smallbox.define.frozen import freeze, signature_digest
from smallbox.define.model import Model
from smallbox.registry.signatures import bundle_key
from smallbox.registry.store import Registry
from smallbox.training.profile import profile
from tests.fakes.versions import version_for


def registry_of(system: System) -> Registry:
    """The registry of a running system."""
    return Registry(DynamoDocuments(system.outputs["RegistryTable"], system.client("dynamodb")))


def register(system: System, model: Model, content: bytes, reference: Mapping[str, Floats] | None = None) -> int:
    """Register an accepted version with this model file; return its number.

    Args:
        system: the system, as the account's root.
        model: the definition.
        content: the model file.
        reference: inputs and outputs of some rows, which the daily check compares a day with; ``None``: no day is
            closed.
    """
    registry, digest = registry_of(system), hashlib.sha256(content).hexdigest()
    registry.freeze(model.name, signature_digest(model), freeze(model))
    blobs = S3Blobs(system.outputs["LakeBucket"], system.client("s3"))
    bundle, key = bundle_of(model.on_demand), f"models/{signature_digest(model)}-{digest}.onnx"
    blobs.put(key, content)
    blobs.put(bundle_key(bundle), bundle.content)
    files: dict[str, Any] = {"onnx_key": key, "bundle_key": bundle_key(bundle), "bundle_sha256": bundle.digest}
    if reference is not None:
        files["profile_key"] = f"models/{digest}.json"
        blobs.put(files["profile_key"], json.dumps(profile(model.columns, model.objective.outputs, reference)).encode())
    return registry.add(version_for(model, **files, onnx_sha256=digest)).number
