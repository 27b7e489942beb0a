"""A project: the sources, views and models that its modules define."""

import importlib
import pkgutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from smallbox.define.attributes import View
from smallbox.define.experiments import Experiment
from smallbox.define.model import Model
from smallbox.define.source import Source
from smallbox.errors import DefinitionError, NotFound

Defined = TypeVar("Defined", Source, View, Model)


@dataclass(frozen=True)
class Project:
    """Sources, views and models by name."""

    sources: Mapping[str, Source]
    views: Mapping[str, View]
    models: Mapping[str, Model]

    def source(self, name: str) -> Source:
        """The source of that name; raises :class:`NotFound`."""
        return _find("source", name, self.sources)

    def view(self, name: str) -> View:
        """The view of that name; raises :class:`NotFound`."""
        return _find("view", name, self.views)

    def model(self, name: str) -> Model:
        """The model of that name; raises :class:`NotFound`."""
        return _find("model", name, self.models)

    def views_of(self, source: str) -> tuple[View, ...]:
        """The views that read this source."""
        return tuple(v for v in self.views.values() if v.source.name == source)


def _find(kind: str, name: str, known: Mapping[str, Defined]) -> Defined:
    if name not in known:
        raise NotFound(f"there is no {kind} {name!r}; there is {', '.join(known) or 'none'}", **{kind: name})
    return known[name]


def _unique(kind: str, items: Iterable[Defined]) -> dict[str, Defined]:
    found: dict[str, Defined] = {}
    for item in items:
        if found.setdefault(item.name, item) is not item:
            raise DefinitionError(
                f"two {kind}s are named {item.name!r}; a {kind} has one name", kind=kind, name=item.name
            )
    return found


def project_of(models: Iterable[Model], sources: Iterable[Source] = ()) -> Project:
    """Collect a project from its models; ``sources`` adds sources that no model or view reads.

    Raises:
        DefinitionError: when two different definitions of a kind share a name, or the source of a label or of an
            experiment's outcome is not defined.
    """
    models = list(models)
    views = _unique("view", (view for model in models for view in model.views))
    read = [*(model.request for model in models), *(view.source for view in views.values())]
    project = Project(_unique("source", [*read, *sources]), views, _unique("model", models))
    for model in models:
        _check_source(project, model, "label", model.label.source_name)
        experiment = model.release.experiment
        for outcome in experiment.outcomes if isinstance(experiment, Experiment) else ():
            _check_source(project, model, "outcome", outcome.source_name)
    return project


def _check_source(project: Project, model: Model, role: str, source: str) -> None:
    if source not in project.sources:
        raise DefinitionError(
            f"model {model.name}: {role} source {source!r} is not defined; assign it to a variable in a file of "
            "definitions",
            kind="model",
            name=model.name,
        )


def project_of_modules(modules: Iterable[ModuleType]) -> Project:
    """Collect a project from the models and sources that the modules define."""
    values = [value for module in modules for value in vars(module).values()]
    return project_of((v for v in values if isinstance(v, Model)), (v for v in values if isinstance(v, Source)))


@cache
def load(package: str = "definitions") -> Project:
    """Import every module of the package and collect the project; cached.

    Raises:
        DefinitionError: when importing a definition raises any exception; details hold the user's ``file`` and
            ``line``.
    """
    folder: list[str] = []
    try:
        folder += importlib.import_module(package).__path__
        modules = [importlib.import_module(f"{package}.{m.name}") for m in pkgutil.iter_modules(folder)]
    except Exception as error:
        from smallbox.define.mistakes import mistake_of  # noqa: PLC0415 - only needed after a failure

        raise mistake_of(error, Path(folder[0] if folder else package)).as_error() from error
    return project_of_modules(modules)
