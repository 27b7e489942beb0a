"""Proves that an open breaker is an incident of the label's source, and that trainings and canaries wait for it."""

from dataclasses import replace
from typing import Final

from smallbox.define.project import project_of
from smallbox.features.live_views import LiveViewStore
from smallbox.labels.stored import BreakerDocument, LabelFigures, why_labels_wait
from smallbox.monitoring.label_findings import label_findings
from smallbox.registry.routing import Routing
from smallbox.registry.store import Registry
from smallbox.release.by_hand import ByHandTask
from smallbox.release.review import ReviewTask
from smallbox.retraining.decide import DecideTask
from smallbox.times import DAY, format_moment
from tests.fakes.documents import FakeDocuments
from tests.fakes.edges import FakeWorkflow
from tests.fakes.lake import FakeLake
from tests.fakes.small import late_parcel
from tests.fakes.versions import version_for
from tests.unit.release.canaries import registry_of

NAME: Final = late_parcel.name
SAID: Final = "3 labels became known on 1970-02-09; about 200 were due"
OPEN: Final[BreakerDocument] = {
    "day": "1970-02-09",
    "open": True,
    "why": SAID,
    "trips": [{"kind": "labels_stalled", "sentence": SAID, "seen": 3, "usual": 200.0, "spread": 0.1}],
}
WHY: Final = f"the label breaker is open: {SAID}"


def opened() -> FakeDocuments:
    """A metrics table with an open breaker."""
    metrics = FakeDocuments()
    LabelFigures(metrics, NAME).set_breaker(OPEN)
    return metrics


def test_what_opened_it_is_a_finding_of_its_day() -> None:
    """One incident for each trip, and none of another day."""
    (found,) = label_findings(OPEN, "1970-02-09", "deliveries")
    assert (found.kind, found.subject, found.severity, found.sentence) == (
        "labels_stalled", "deliveries", "incident", SAID,
    )  # fmt: skip
    assert not label_findings(OPEN, "1970-02-10", "deliveries")
    assert not label_findings(None, "1970-02-10", "deliveries")


def test_no_training_starts_while_it_is_open() -> None:
    """Without it, a model without a champion is trained at once."""
    for metrics, why in ((opened(), WHY), (FakeDocuments(), "there is no champion")):
        project, registry = project_of([late_parcel]), Registry(FakeDocuments())
        by_hand = ByHandTask(project, registry, LiveViewStore(FakeDocuments()))
        task = DecideTask(project, registry, metrics, FakeWorkflow(), by_hand)
        found = task.run({"model": NAME, "as_of": format_moment(40 * DAY)}, 40 * DAY)["retraining"]
        assert (found["train"], found["why"]) == (why != WHY, why)


def test_no_release_is_decided_while_it_is_open() -> None:
    """The review waits with the breaker's reason on either rung, whatever the labels say."""
    registry = registry_of(version_for(late_parcel), version_for(late_parcel))
    task = ReviewTask(project_of([late_parcel]), FakeLake(), registry, registry.live, opened())
    for routing in (Routing(1, challenger=2, share=0.1), Routing(1, shadow=2)):
        before = registry.routing(NAME)
        assert before is not None
        registry.route(NAME, replace(routing, revision=before.revision))
        found = task.run({"model": NAME, "as_of": format_moment(40 * DAY)}, 40 * DAY)["release"]
        assert (found["action"], found["why"]) == ("wait", WHY)


def test_an_older_days_join_does_not_close_it() -> None:
    """The state is that of the latest day; the next day closes it."""
    metrics = opened()
    figures = LabelFigures(metrics, NAME)
    figures.set_breaker({"day": "1970-02-08", "open": False, "why": "", "trips": []})
    assert why_labels_wait(metrics, NAME) == WHY
    figures.set_breaker({"day": "1970-02-10", "open": False, "why": "", "trips": []})
    assert why_labels_wait(metrics, NAME) == ""
