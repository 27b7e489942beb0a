"""A registry with versions, and labelled predictions of made-up traffic, for the tests of the release's tasks."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from smallbox.arrays import Bools, Floats
from smallbox.define.model import Model
from smallbox.define.project import project_of
from smallbox.define.rules import Release
from smallbox.documents.daily_run import DayDocument
from smallbox.documents.training_run import ReleasedRun
from smallbox.errors import Unavailable
from smallbox.features.live_needs import refresh_live_views
from smallbox.features.live_views import LiveViewStore, id_of
from smallbox.lake.names import labelled_table
from smallbox.registry.store import Registry
from smallbox.registry.version import Version
from smallbox.release.review import ReviewTask
from smallbox.release.start import StartTask
from smallbox.times import DAY, Micros, format_moment
from tests.fakes.documents import FakeDocuments
from tests.fakes.lake import FakeLake
from tests.fakes.small import late_parcel
from tests.fakes.versions import add_version

MODEL = late_parcel.name
GOOD, BETTER = 0.7, 0.0
"""How far the log-odds of a version are off; the second is right, and its log loss a tenth smaller."""


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


def reviewed(registry: Shelf, lake: FakeLake, at: Micros, model: Model = late_parcel) -> Mapping[str, Any]:
    """What the daily machine says of the release."""
    document: DayDocument = {"model": MODEL, "as_of": format_moment(at)}
    return ReviewTask(project_of([model]), lake, registry, registry.live, FakeDocuments()).run(document, at)["release"]


def answers(size: int, miss: Any, random: np.random.Generator, base: float = 0.3) -> tuple[Floats, Bools]:
    """Scores and labels of rows; ``miss``, one or ``(size,)``, is how far the log-odds of a score are off."""
    odds = random.normal(math.log(base / (1 - base)), 1.5, size)
    return 1 / (1 + np.exp(-odds - miss)), random.random(size) < 1 / (1 + np.exp(-odds))


def predictions(
    days: range, a_day: int, *, base: float = 0.3, share: float = 0.0, misses: tuple[float, float] = (GOOD, GOOD)
) -> pa.Table:
    """Predictions of version 1, and of version 2 in a share of them, for those days; all of them labelled."""
    random = np.random.default_rng(days.start)
    count = len(days) * a_day
    theirs = random.random(count) < share
    times = np.sort(random.integers(days.start * DAY, days.stop * DAY, count))
    scores, labels = answers(count, np.where(theirs, misses[1], misses[0]), random, base)
    return pa.table(
        {
            "time": times,
            "event_time": times,
            "version": np.where(theirs, 2, 1),
            "arm": np.where(theirs, "challenger", "champion"),
            "score": scores,
            "label": labels,
            "status": ["labelled"] * count,
            "channel": ["online"] * count,
        }
    )


def lake_of(*rows: pa.Table) -> FakeLake:
    """A lake that holds labelled predictions."""
    lake = FakeLake()
    for table in rows:
        lake.append(labelled_table(MODEL), table)
    return lake


class Crashing(Shelf):
    """A registry whose routing cannot be written once."""

    crashes = 1

    def route(self, *arguments: Any) -> None:
        if self.crashes:
            self.crashes -= 1
            raise Unavailable("the table did not answer")
        super().route(*arguments)
