"""Whether a version can answer requests now: one that is not live may have lost a field, a source or a view."""

from smallbox.define.project import Project
from smallbox.define.refusals import Reader
from smallbox.errors import NotReady
from smallbox.features.live_views import LiveViewStore, check_ready
from smallbox.registry.live_versions import version_reads
from smallbox.registry.signatures import views_of_version
from smallbox.registry.store import Registry
from smallbox.registry.version import Version
from smallbox.times import Micros


def check_can_answer(project: Project, registry: Registry, live: LiveViewStore, version: Version, now: Micros) -> None:
    """Raise unless the version can answer.

    Raises:
        NotReady: when a field, a source or a view that it reads is gone, or a view is not filled yet.
    """
    _check_defined(project, version_reads(registry, version))
    views = live.read()
    needed = views_of_version(registry, version)
    gone = views.not_kept(needed, now)
    if gone:
        raise NotReady(
            f"the states of {', '.join(gone)} are not kept in the form that version {version.number} reads; deploy "
            "that form of the view again, or train again",
            views=gone,
        )
    check_ready(views, needed)


def _check_defined(project: Project, reader: Reader) -> None:
    sources, request = project.sources, project.model(reader.model).request.name
    if request != reader.request:
        raise NotReady(f"{reader.label} answers requests of source {reader.request}, not of {request}; train again")
    gone = [
        f"{source}.{name}"
        for source, names in reader.fields.items()
        for name in sorted(names)
        if source not in sources or name not in sources[source].fields
    ]
    if gone:
        raise NotReady(
            f"{reader.label} reads {', '.join(gone)}, which the definition has no longer; deploy a definition that "
            "has it, or train again",
            fields=gone,
        )
