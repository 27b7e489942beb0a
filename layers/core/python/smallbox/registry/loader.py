"""Loads model versions for serving."""

from smallbox.define.model import Model
from smallbox.errors import NotFound, NotReady
from smallbox.ports import Blobs
from smallbox.registry.routing import Routing
from smallbox.registry.scorer import Scorer
from smallbox.registry.store import Registry


class ModelLoader:
    """A cache of loaded versions. Versions are immutable, so a process loads each once."""

    def __init__(self, registry: Registry, blobs: Blobs) -> None:
        self._registry = registry
        self._blobs = blobs
        self._loaded: dict[tuple[str, int], Scorer] = {}

    def routing(self, model: str) -> Routing:
        """The current routing of a model.

        Raises:
            NotReady: if the model has no champion yet.
        """
        routing = self._registry.routing(model)
        if routing is None:
            raise NotReady(f"model {model!r} has no champion yet; train it first", model=model)
        return routing

    def scorer(self, model: Model, number: int) -> Scorer:
        """The scorer of a version.

        Raises:
            NotReady: if the definition's columns differ from the version's, or the version's document or file is
                missing or damaged.
        """
        if (model.name, number) not in self._loaded:
            try:
                self._loaded[model.name, number] = self._load(model, number)
            except NotFound as error:
                raise NotReady(
                    f"version {number} of {model.name} serves, but it is not stored; restore it, or train again",
                    model=model.name,
                ) from error
        return self._loaded[model.name, number]

    def _load(self, model: Model, number: int) -> Scorer:
        version = self._registry.get(model.name, number)
        if version.columns != list(model.columns.names):
            raise NotReady(
                f"version {number} of {model.name} was trained on other columns than the definition has; train again",
                model=model.name,
            )
        return Scorer(self._blobs.get(version.onnx_key), version.onnx_sha256)
