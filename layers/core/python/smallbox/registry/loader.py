"""Loads the versions that serve."""

from smallbox.define.model import Model
from smallbox.errors import NotFound, NotReady
from smallbox.ports import Blobs
from smallbox.registry.routing import Routing
from smallbox.registry.scorer import Scorer
from smallbox.registry.store import Registry


class ModelLoader:
    """Loaded models, by version: a version never changes, so one is loaded once a process."""

    def __init__(self, registry: Registry, blobs: Blobs) -> None:
        self._registry = registry
        self._blobs = blobs
        self._loaded: dict[tuple[str, int], Scorer] = {}

    def routing(self, model: str) -> Routing:
        """Who serves now.

        Raises:
            NotReady: when the model has no champion yet.
        """
        routing = self._registry.routing(model)
        if routing is None:
            raise NotReady(f"model {model!r} has no champion yet; train it first", model=model)
        return routing

    def scorer(self, model: Model, number: int) -> Scorer:
        """The scorer of a version.

        Raises:
            NotReady: when the definition has other columns than the version was trained on, or the version's document
                or file is missing or damaged.
        """
        if (model.name, number) not in self._loaded:
            try:
                self._loaded[model.name, number] = self._load(model, number)
            except NotFound as error:
                raise NotReady(
                    f"version {number} of {model.name} is routed to, and not stored; restore it, or train again",
                    model=model.name,
                ) from error
        return self._loaded[model.name, number]

    def _load(self, model: Model, number: int) -> Scorer:
        version = self._registry.get(model.name, number)
        if version.columns != list(model.columns.names):
            raise NotReady(f"version {number} of {model.name} takes other columns; train again", model=model.name)
        return Scorer(self._blobs.get(version.onnx_key), version.onnx_sha256)
