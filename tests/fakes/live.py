"""Live views of a project that needs no registry."""

from smallbox.define.attributes import View
from smallbox.define.project import Project
from smallbox.features.live_needs import DEFINITION
from smallbox.features.live_views import LiveViewStore
from smallbox.registry.live_sources import LIVE_KEY, LIVE_PARTITION, LiveSources
from tests.fakes.documents import FakeDocuments


def live_sources(project: Project) -> LiveSources:
    """The sources that the views of a project read, as if all of them were live."""
    documents = FakeDocuments()
    views = [{"view": {"source": {"name": view.source.name}}} for view in project.views.values()]
    documents.put(LIVE_PARTITION, LIVE_KEY, {"views": views})
    return LiveSources(documents)


def live_store(*views: View) -> LiveViewStore:
    """A store in which these views are live and ready."""
    store = LiveViewStore(FakeDocuments())
    joined = store.refresh(lambda: {DEFINITION: views}, 0)
    store.publish([(id_, one.since) for id_, one in joined.by_id.items()])
    return store
