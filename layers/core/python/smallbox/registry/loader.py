"""Loads model versions for serving."""

from dataclasses import dataclass

from smallbox.define.project import Project
from smallbox.define.signature import Signature
from smallbox.errors import NotFound, NotReady
from smallbox.ports import Blobs
from smallbox.registry.routing import Routing
from smallbox.registry.scorer import Scorer
from smallbox.registry.signatures import Signatures
from smallbox.registry.store import Registry
from smallbox.times import Micros


@dataclass(frozen=True, slots=True)
class LoadedVersion:
    """A version that can answer.

    Attributes:
        number: the version's number.
        signature: what its inputs are, and how they are computed.
        scorer: the model itself.
    """

    number: int
    signature: Signature
    scorer: Scorer


class ModelLoader:
    """A cache of loaded versions. Versions are immutable, so a process loads each once."""

    def __init__(self, registry: Registry, blobs: Blobs, signatures: Signatures) -> None:
        self._registry = registry
        self._blobs = blobs
        self._signatures = signatures
        self._loaded: dict[tuple[str, int], LoadedVersion] = {}

    @classmethod
    def of_project(cls, project: Project, registry: Registry, blobs: Blobs) -> "ModelLoader":
        """A loader for the functions of a deployed definition."""
        return cls(registry, blobs, Signatures(project, registry, blobs))

    def routing(self, model: str, within: Micros | None = None) -> Routing:
        """The current routing of a model; ``within`` is the longest time to wait for it.

        Raises:
            NotReady: if the model has no champion yet.
        """
        routing = self._registry.routing(model, within)
        if routing is None:
            raise NotReady(f"model {model!r} has no champion yet; train it first", model=model)
        return routing

    def version(self, model: str, number: int) -> LoadedVersion:
        """A version, with the signature that it was trained with.

        Raises:
            NotReady: if the version's document, signature, bundle or file is missing or damaged.
        """
        if (model, number) not in self._loaded:
            try:
                self._loaded[model, number] = self._load(model, number)
            except NotFound as error:
                raise NotReady(
                    f"version {number} of {model} serves, but it is not stored; restore it, or train again",
                    model=model,
                ) from error
        return self._loaded[model, number]

    def _load(self, model: str, number: int) -> LoadedVersion:
        version = self._registry.get(model, number)
        scorer = Scorer(self._blobs.get(version.onnx_key), version.onnx_sha256)
        return LoadedVersion(number, self._signatures.of_version(version), scorer)
