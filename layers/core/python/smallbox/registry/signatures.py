"""The signatures of registered versions: how each stage gets the definition that a version was trained with."""

from collections.abc import Mapping, Sequence
from typing import Any

from smallbox.define.attributes import View
from smallbox.define.bundle import Bundle, bundle_of, functions_of
from smallbox.define.frozen import signature_digest, thaw, thaw_label
from smallbox.define.frozen_views import thaw_view
from smallbox.define.model import Model
from smallbox.define.on_demand import OnDemand
from smallbox.define.project import Project
from smallbox.define.rules import Label
from smallbox.define.signature import Signature
from smallbox.errors import NotFound, NotReady
from smallbox.ports import Blobs
from smallbox.registry.store import Registry
from smallbox.registry.version import Version


class Signatures:
    """Reads frozen signatures. A version is immutable, so a process reads each once.

    On-demand functions are those of the deployed definition where their source is the same. Otherwise they run from the
    bundle that was stored with the version.

    Args:
        project: the deployed definition.
        registry: has the frozen signatures.
        blobs: has the bundles.
    """

    def __init__(self, project: Project, registry: Registry, blobs: Blobs) -> None:
        self._project = project
        self._registry = registry
        self._blobs = blobs
        self._known: dict[tuple[str, str], Signature] = {}

    def of(self, model: str, number: int) -> Signature:
        """The signature of a version.

        Raises:
            NotFound: when there is no such version.
            NotReady: when the signature or its bundle is missing or damaged.
        """
        return self.of_version(self._registry.get(model, number))

    def of_version(self, version: Version) -> Signature:
        """The signature of a version that was read already; raises as :meth:`of`."""
        at = (version.model, version.signature)
        if at not in self._known:
            self._known[at] = self._read(version)
        return self._known[at]

    def _read(self, version: Version) -> Signature:
        deployed = self._project.models.get(version.model)
        if deployed is not None and version.fits(signature_digest(deployed)):
            return deployed
        try:
            document = self._registry.frozen(version.model, version.signature)
            return thaw(document, self._functions(version, document))
        except NotFound as error:
            raise NotReady(
                f"version {version.number} of {version.model} has lost its signature or its bundle; restore it, or "
                "train again",
                model=version.model,
            ) from error

    def _functions(self, version: Version, document: Mapping[str, Any]) -> Sequence[OnDemand]:
        if not document["on_demand"]:
            return ()
        deployed = self._project.models.get(version.model)
        if deployed is not None and deployed.on_demand and bundle_of(deployed.on_demand).digest == document["bundle"]:
            return deployed.on_demand
        content = self._blobs.get(version.bundle_key)
        return functions_of(content, version.bundle_sha256)


def check_unchanged(model: Model, digest: str) -> None:
    """Raise unless the deployed definition is the one that a training run began with.

    Raises:
        NotReady: when it has been changed meanwhile.
    """
    if signature_digest(model) != digest:
        raise NotReady(
            f"the definition of {model.name} was changed while it was trained; train again", model=model.name
        )


def views_of_version(registry: Registry, version: Version) -> tuple[View, ...]:
    """The views of a version; no on-demand function is loaded for them.

    Raises:
        NotFound: when the signature is not stored.
    """
    document = registry.frozen(version.model, version.signature)
    return tuple(thaw_view(view) for view in document["views"])


def label_of_version(registry: Registry, version: Version) -> Label:
    """The label that a version predicts.

    Raises:
        NotFound: when the signature is not stored.
    """
    return thaw_label(registry.frozen(version.model, version.signature))


def bundle_key(bundle: Bundle) -> str:
    """The content-addressed key of a bundle."""
    return f"bundles/{bundle.digest}.json"
