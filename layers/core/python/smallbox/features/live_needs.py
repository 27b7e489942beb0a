"""Who needs which views: the deployed definition, and the live versions of each model."""

from collections.abc import Mapping, Sequence
from typing import Final

from smallbox.define.attributes import View
from smallbox.define.project import Project
from smallbox.features.live_views import LiveViews, LiveViewStore
from smallbox.registry.live_versions import live_versions
from smallbox.registry.signatures import views_of_version
from smallbox.registry.store import Registry
from smallbox.times import Micros

DEFINITION: Final = "definition"
"""Who needs the views of the deployed definition."""


def needs_of(project: Project, registry: Registry) -> Mapping[str, Sequence[View]]:
    """By who needs them, the views of the definition and of each live version."""
    of_versions = {
        f"{version.model} version {version.number}": views_of_version(registry, version)
        for model in project.models
        for version in live_versions(registry, model)
    }
    return {DEFINITION: tuple(project.views.values()), **of_versions}


def refresh_live_views(project: Project, registry: Registry, live: LiveViewStore, now: Micros) -> LiveViews:
    """Let the views that are needed now join, and let the others leave.

    Called after a deployment, and after each change of who serves.

    Raises:
        Conflict: if concurrent changes made all attempts fail.
    """
    return live.refresh(lambda: needs_of(project, registry), now)
