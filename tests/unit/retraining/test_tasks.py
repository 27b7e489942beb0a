"""Proves that the day's end and its alarms come to one decision, and start one run."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from smallbox.define.model import Model
from smallbox.define.project import project_of
from smallbox.documents.daily_run import RetrainingStep
from smallbox.documents.training_run import FailedRun
from smallbox.errors import NotReady
from smallbox.features.live_views import LiveViewStore
from smallbox.monitoring.check_findings import findings_of
from smallbox.monitoring.findings import Finding
from smallbox.monitoring.incident import Incident
from smallbox.monitoring.incidents import IncidentBook
from smallbox.monitoring.report import LATEST, Check, metrics_partition, report_of
from smallbox.registry.register import RegisterTask
from smallbox.registry.routing import Routing
from smallbox.registry.store import Registry
from smallbox.release.by_hand import ByHandTask
from smallbox.release.routing_changes import Changes
from smallbox.retraining.decide import DecideTask
from smallbox.retraining.incident_story import told_to_the_end
from smallbox.times import DAY, day_of, format_moment
from tests.fakes.documents import FakeDocuments
from tests.fakes.edges import FakeBlobs, FakeWorkflow
from tests.fakes.small import deliveries, late_parcel
from tests.fakes.versions import VERSION, add_version

NAME = late_parcel.name
MIDNIGHT = format_moment(40 * DAY)


MODEL = replace(late_parcel, retrain=replace(late_parcel.retrain, on_breach=True))
SKEW = Check("features", "skew:weight", 0.4, 0.25, breached=True, rows=900)
ACCURACY = Check("accuracy", "auc", 0.4, 0.5, breached=True, rows=900)


def _decide(
    registry: Registry, documents: FakeDocuments, metrics: FakeDocuments, workflow: FakeWorkflow, model: Model = MODEL
) -> DecideTask:
    project = project_of([model], [deliveries])
    return DecideTask(project, registry, metrics, workflow, ByHandTask(project, registry, LiveViewStore(documents)))


def _task() -> tuple[DecideTask, FakeWorkflow, FakeDocuments]:
    workflow, metrics, documents = FakeWorkflow(), FakeDocuments(), FakeDocuments()
    return _decide(Registry(documents), documents, metrics, workflow), workflow, metrics


def _checked(metrics: FakeDocuments, day: int, *checks: Check) -> None:
    """Store the report and the incidents of the day that ends at a midnight."""
    checked = day_of((day - 1) * DAY)
    report = report_of(NAME, checked, format_moment(day * DAY), checks)
    metrics.put(metrics_partition(NAME), LATEST, report)
    IncidentBook(metrics).record(NAME, findings_of(checks, checked), checked, day * DAY)


@pytest.mark.parametrize("alarm_first", [True, False])
def test_an_alarm_and_the_day_start_one_run(alarm_first: bool) -> None:  # noqa: FBT001 - the two orders
    """Whoever asks first, both get the decision to train with the same execution, and one run was started."""
    task, workflow, metrics = _task()
    _checked(metrics, 40, ACCURACY)
    ask: list[Callable[[], Mapping[str, Any]]] = [
        lambda: task.on_alarm(NAME),
        lambda: task.run({"model": NAME, "as_of": MIDNIGHT}, 0)["retraining"],
    ]
    answers = [question() for question in (ask if alarm_first else ask[::-1])]
    assert [answer["train"] for answer in answers] == [True, True]
    assert answers[0]["execution"] == answers[1]["execution"]
    assert len(workflow.started) == 1


def test_the_next_day_is_a_decision_of_its_own() -> None:
    """A day later the run that was started counts as the last training, and it is too soon for another."""
    task, workflow, _ = _task()
    task.run({"model": NAME, "as_of": MIDNIGHT}, 0)
    later = task.run({"model": NAME, "as_of": format_moment(41 * DAY)}, 0)["retraining"]
    assert not later["train"]
    assert "sooner than" in later["why"]
    assert len(workflow.started) == 1


def test_an_alarm_before_any_check_is_told_so() -> None:
    """An alarm that can mean no day is an error that the dead-letter queue keeps."""
    task, _, _ = _task()
    with pytest.raises(NotReady, match="no monitoring report"):
        task.on_alarm(NAME)


def _champion(as_of: int = 20) -> Registry:
    registry = Registry(FakeDocuments())
    registry.add(replace(VERSION, as_of=format_moment(as_of * DAY)))
    Changes(registry, NAME, as_of * DAY).make_champion(None, 1, {})
    return registry


def _asked(registry: Registry, day: int, *checks: Check, model: Model = MODEL) -> RetrainingStep:
    """What is decided at a midnight, and that an alarm decides the same."""
    metrics, before = FakeDocuments(), len(registry.history(NAME))
    _checked(metrics, day, *checks)
    task = _decide(registry, FakeDocuments(), metrics, FakeWorkflow(), model)
    found = task.run({"model": NAME, "as_of": format_moment(day * DAY)}, 0)["retraining"]
    assert task.on_alarm(NAME) == {"model": NAME, **found}
    assert len(registry.history(NAME)) > before
    return found


def test_skew_starts_no_training_and_accuracy_only_where_the_rule_says_so() -> None:
    """Training cannot mend skew; an incident of accuracy is where ``on_breach`` is on, which it is not by default."""
    assert not _asked(_champion(), 40, SKEW)["train"]
    assert not _asked(_champion(), 40, SKEW, ACCURACY, model=late_parcel)["train"]
    found = _asked(_champion(), 40, SKEW, ACCURACY)
    assert found["train"]
    incident = f"{NAME}-{day_of(39 * DAY)}-guardrail-change"
    assert found["why"] == f"incident {incident}: accuracy auc is 0.4, limit 0.5, on 900 rows; to do: retrain"


def test_a_failed_training_is_told_and_tried_again_before_a_week_is_over() -> None:
    """The decision of the next day names the failure, not a training of yesterday, and trains again."""
    registry = _champion(as_of=9)
    assert _asked(registry, 40)["train"]
    error = {"Error": "NotReady", "Cause": '{"errorMessage": "no request has a label"}'}
    document: FailedRun = {"model": NAME, "as_of": format_moment(40 * DAY), "error": error}
    RegisterTask(project_of([MODEL]), registry, FakeBlobs()).record_failure(document, 40 * DAY)
    found = _asked(registry, 41)
    assert found["train"]
    assert found["why"].endswith("failed yesterday: no request has a label")


@pytest.mark.parametrize("as_of", [format_moment(90 * DAY), "yesterday"], ids=["ahead", "no moment"])
def test_a_run_that_is_refused_for_its_moment_failed_when_it_was_asked(as_of: str) -> None:
    """It is told the next day, and no decision waits until the moment that it named."""
    registry = _champion(as_of=9)
    error = {"Error": "InvalidInput", "Cause": '{"errorMessage": "as_of: it lies in the future"}'}
    document: FailedRun = {"model": NAME, "as_of": as_of, "error": error}
    RegisterTask(project_of([MODEL]), registry, FakeBlobs()).record_failure(document, 40 * DAY)
    found = _asked(registry, 41)
    assert found["train"]
    assert "it lies in the future" in found["why"]


def test_a_failure_of_the_present_does_not_stop_a_replay_of_the_past() -> None:
    """A replay decides on what had failed by its own day."""
    registry = _champion(as_of=9)
    registry.record(NAME, 90 * DAY, "training_failed", {"why": "no data"})
    assert _asked(registry, 41)["train"]


def test_what_was_refused_yesterday_is_told_today() -> None:
    """The next day's decision says which version was refused, and why; the day after does not repeat it."""
    registry = _champion(as_of=9)
    registry.add(replace(VERSION, as_of=format_moment(40 * DAY), status="refused"))
    registry.record(NAME, 40 * DAY, "refused", {"version": 2, "why": "AUC is 0.5"})
    assert _asked(registry, 41)["why"].endswith("; refused yesterday: version 2, AUC is 0.5")
    assert "refused" not in _asked(registry, 42)["why"]


def test_a_model_of_little_traffic_does_not_train_in_a_loop() -> None:
    """Each version of which nobody can tell whether it is good is followed by another after ``every``, not a week."""
    registry, trained = _champion(as_of=0), []
    for day in range(1, 100):
        if _asked(registry, day)["train"]:
            trained.append(day)
            registry.add(replace(VERSION, as_of=format_moment(day * DAY), status="undecided"))
    assert trained == [30, 60, 90]


def test_an_incident_that_training_cannot_mend_starts_none() -> None:
    """A silent source is mended at the source, whatever ``on_breach`` says."""
    silent = Check("data", "volume:parcels", 3.0, 300.0, breached=True, rows=3)
    found = _asked(_champion(), 40, silent)
    assert not found["train"]
    assert "no incident asks for it" in found["why"]


def test_the_story_of_an_incident_goes_from_the_finding_to_the_promotion() -> None:
    """The training that it started, the gate's verdict on its version, the canary and its end, in their order."""
    registry, metrics = _champion(), FakeDocuments()
    _checked(metrics, 40, ACCURACY)
    task = _decide(registry, FakeDocuments(), metrics, FakeWorkflow())
    step = task.run({"model": NAME, "as_of": MIDNIGHT}, 0)["retraining"]
    registry.add(replace(VERSION, number=0, as_of=MIDNIGHT, status="registered"))
    registry.record(NAME, 40 * DAY, "registered", {"version": 2, "why": "every check passed"})
    Changes(registry, NAME, 41 * DAY).start(_routing(registry), 2, 0.2, {"why": "it can be judged"})
    Changes(registry, NAME, 50 * DAY).promote(_routing(registry), {"why": "it is better"})
    (incident,) = IncidentBook(metrics).incidents(NAME)
    told = told_to_the_end(incident, registry.history(NAME))
    assert [entry.event for entry in told.story] == ["opened", "training", "gate", "release", "promotion"]
    assert [entry.link for entry in told.story] == [
        day_of(39 * DAY), step["execution"], "version 2", "version 2", "version 2",
    ]  # fmt: skip
    assert told.story[-1].sentence == "version 2 was promoted to champion: it is better"


def test_a_decision_not_to_train_is_told_once() -> None:
    """The first reason stands in the story; the next days do not repeat it."""
    registry, metrics = _champion(as_of=38), FakeDocuments()
    for day in (40, 41):
        _checked(metrics, day, ACCURACY)
        _decide(registry, FakeDocuments(), metrics, FakeWorkflow()).run(
            {"model": NAME, "as_of": format_moment(day * DAY)}, 0
        )
    (incident,) = IncidentBook(metrics).incidents(NAME)
    (told,) = [entry.sentence for entry in incident.story if entry.event == "decision"]
    assert "sooner than" in told


ROLLING = replace(MODEL, views=())
WORSE = Finding("loss", "log loss", "incident", "log loss is 0.9", "roll back", effect=0.3)


def _two_champions() -> tuple[Registry, FakeDocuments]:
    """Version 2 took over from version 1 on day 39."""
    documents = FakeDocuments()
    registry = Registry(documents)
    for number, at in ((1, 20), (2, 39)):
        add_version(registry, ROLLING, as_of=format_moment(at * DAY), onnx_key=f"{number}")
        routing = registry.routing(NAME)
        Changes(registry, NAME, at * DAY).make_champion(routing, number, {})
    return registry, documents


def _rolling(is_allowed: bool, opened: int) -> tuple[RetrainingStep, Registry, Incident, FakeWorkflow]:  # noqa: FBT001
    """What the midnight of day 40 decides on an incident that asks to roll back."""
    registry, documents = _two_champions()
    metrics, workflow = FakeDocuments(), FakeWorkflow()
    IncidentBook(metrics).record(NAME, [WORSE], day_of(opened * DAY), (opened + 1) * DAY)
    model = replace(ROLLING, release=replace(ROLLING.release, roll_back=is_allowed))
    task = _decide(registry, documents, metrics, workflow, model)
    step = task.run({"model": NAME, "as_of": MIDNIGHT}, 0)["retraining"]
    again = task.run({"model": NAME, "as_of": MIDNIGHT}, 0)["retraining"]
    assert again.get("rollback") == (None if step["rollback"]["done"] else step["rollback"]), "once"
    (incident,) = IncidentBook(metrics).incidents(NAME)
    return step, registry, incident, workflow


def test_an_incident_rolls_the_new_champion_back_where_the_definition_allows_it() -> None:
    """The champion before answers again, the history says which incident did it, and nothing is trained."""
    step, registry, incident, workflow = _rolling(is_allowed=True, opened=39)
    assert step["rollback"]["done"], step
    assert _routing(registry).champion == 1
    (event,) = [event for event in registry.history(NAME) if event["event"] == "roll_back"]
    assert event["who"] == f"incident {incident.id}"
    assert [entry.event for entry in incident.story] == ["opened", "rollback"]
    assert not workflow.started


BY_HAND = f"(Release(roll_back=True)); by hand: `smallbox release {NAME} roll-back --why TEXT`"


@pytest.mark.parametrize(
    ("is_allowed", "opened", "why"), [(False, 39, BY_HAND), (True, 38, "began before version 2 took over")]
)
def test_otherwise_the_incident_says_why_nothing_is_rolled_back(is_allowed: bool, opened: int, why: str) -> None:  # noqa: FBT001
    """Not allowed, with the command; or not this champion's fault. Nothing changes."""
    step, registry, _, _ = _rolling(is_allowed, opened)
    assert not step["rollback"]["done"]
    assert step["rollback"]["why"].endswith(why)
    assert _routing(registry).champion == 2


def _routing(registry: Registry) -> Routing:
    routing = registry.routing(NAME)
    assert routing is not None
    return routing
