"""The sources that a model depends on: those of its definition and of every live version."""

from smallbox.define.model import Model
from smallbox.define.project import Project
from smallbox.define.source import Source
from smallbox.registry.live_versions import live_versions
from smallbox.registry.signatures import label_of_version, views_of_version
from smallbox.registry.store import Registry


def watched_sources(project: Project, registry: Registry, model: Model) -> list[Source]:
    """The source of requests, those of labels, and those of the views; each once."""
    live = live_versions(registry, model.name)
    views = [*model.views, *(view for version in live for view in views_of_version(registry, version))]
    labels = [model.label, *(label_of_version(registry, version) for version in live)]
    names = [model.request.name, *(one.source_name for one in labels), *(view.source.name for view in views)]
    return [project.source(name) for name in dict.fromkeys(names)]
