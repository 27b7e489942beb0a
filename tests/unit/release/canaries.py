"""A registry with versions, for the tests of the release's tasks."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from smallbox.define.model import Model
from smallbox.define.project import project_of
from smallbox.define.release_rules import Release
from smallbox.documents.daily_run import DayDocument
from smallbox.documents.training_run import ReleasedRun
from smallbox.errors import Unavailable
from smallbox.features.live_needs import refresh_live_views
from smallbox.features.live_views import LiveViewStore, id_of
from smallbox.registry.store import Registry
from smallbox.registry.version import Version
from smallbox.release.review import ReviewTask
from smallbox.release.routing_changes import Changes
from smallbox.release.start import StartTask
from smallbox.times import Micros, format_moment
from tests.fakes.documents import FakeDocuments
from tests.fakes.lake import FakeLake
from tests.fakes.small import late_parcel
from tests.fakes.versions import add_version

MODEL = late_parcel.name


def ruled(release: Release, within: str = "24h") -> Model:
    """The small model under another rule."""
    return replace(late_parcel, label=replace(late_parcel.label, within=within), release=release)


class Shelf(Registry):
    """A registry with the live views beside it, in one table."""

    def __init__(self, documents: FakeDocuments | None = None) -> None:
        table = FakeDocuments() if documents is None else documents
        super().__init__(table)
        self.live = LiveViewStore(table)

    def fill(self, model: Model = late_parcel, at: Micros = 0) -> None:
        """What the backfill does: let the views that are needed join, and publish them."""
        live = refresh_live_views(project_of([model]), self, self.live, at)
        self.live.publish((id_of(one.view), one.since) for one in live.filling())

    def give_up(self, number: int, at: Micros) -> None:
        """End the release of a version."""
        routing = self.routing(MODEL)
        assert routing is not None
        assert routing.candidate == number
        Changes(self, MODEL, at).end(routing, "rolled_back", {})

    @property
    def serving(self) -> tuple[int, int | None]:
        """Champion and challenger."""
        routing = self.routing(MODEL)
        assert routing is not None
        return routing.champion, routing.challenger

    @property
    def statuses(self) -> list[str]:
        """The status of each version, oldest first."""
        return [version.status for version in self.versions(MODEL)]

    @property
    def events(self) -> list[str]:
        """The events of the history, oldest first."""
        return [event["event"] for event in self.history(MODEL)]


def registry_of(*versions: Version, model: Model = late_parcel) -> Shelf:
    """A registry of these versions of a model, of which the first is champion; its views are filled."""
    registry = Shelf()
    for version in versions:
        add_version(registry, model, status=version.status)
    registry.fill(model)
    start(registry, 1, model=model)
    return registry


def start(registry: Shelf, number: int, at: Micros = 0, model: Model = late_parcel) -> ReleasedRun:
    """What the training machine does last."""
    document: Any = {"model": MODEL, "version": number, "as_of": format_moment(at)}
    return StartTask(project_of([model]), registry, registry.live).run(document, at)


def reviewed(registry: Shelf, at: Micros, model: Model = late_parcel) -> Mapping[str, Any]:
    """What the daily machine says of the release, without any prediction or label."""
    document: DayDocument = {"model": MODEL, "as_of": format_moment(at)}
    task = ReviewTask(project_of([model]), FakeLake(), registry, registry.live, FakeDocuments())
    return task.run(document, at)["release"]


class Crashing(Shelf):
    """A registry whose routing cannot be written once."""

    crashes = 1

    def route(self, *arguments: Any) -> None:
        if self.crashes:
            self.crashes -= 1
            raise Unavailable("the table did not answer")
        super().route(*arguments)
