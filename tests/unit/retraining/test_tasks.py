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
from smallbox.monitoring.report import LATEST, Check, metrics_partition, report_key, report_of
from smallbox.registry.register import RegisterTask
from smallbox.registry.store import Registry
from smallbox.release.routing_changes import Changes
from smallbox.retraining.decide import DecideTask
from smallbox.times import DAY, day_of, format_moment
from tests.fakes.documents import FakeDocuments
from tests.fakes.edges import FakeBlobs, FakeWorkflow
from tests.fakes.small import late_parcel
from tests.fakes.versions import VERSION

NAME = late_parcel.name
MIDNIGHT = format_moment(40 * DAY)


MODEL = replace(late_parcel, retrain=replace(late_parcel.retrain, on_breach=True))
DRIFT = Check("features", "psi:weight", 0.4, 0.25, breached=True, rows=900, is_drift=True)
ACCURACY = Check("accuracy", "auc", 0.4, 0.5, breached=True, rows=900)


def _task() -> tuple[DecideTask, FakeWorkflow, FakeDocuments]:
    workflow, metrics = FakeWorkflow(), FakeDocuments()
    return DecideTask(project_of([MODEL]), Registry(FakeDocuments()), metrics, workflow), workflow, metrics


def _report() -> dict[str, Any]:
    breach = Check("accuracy", "auc", 0.4, 0.5, breached=True, rows=900)
    return report_of(NAME, "1970-02-09", MIDNIGHT, [breach])


@pytest.mark.parametrize("alarm_first", [True, False])
def test_an_alarm_and_the_day_start_one_run(alarm_first: bool) -> None:  # noqa: FBT001 - the two orders
    """Whoever asks first, both get the decision to train with the same execution, and one run was started."""
    task, workflow, metrics = _task()
    metrics.put(metrics_partition(NAME), LATEST, _report())
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
    report = report_of(NAME, day_of((day - 1) * DAY), format_moment(day * DAY), checks)
    for key in (report_key(report["day"]), LATEST):
        metrics.put(metrics_partition(NAME), key, report)
    task = DecideTask(project_of([model]), registry, metrics, FakeWorkflow())
    found = task.run({"model": NAME, "as_of": format_moment(day * DAY)}, 0)["retraining"]
    assert task.on_alarm(NAME) == {"model": NAME, **found}
    assert len(registry.history(NAME)) > before
    return found


def test_drift_starts_no_training_and_accuracy_only_where_the_rule_says_so() -> None:
    """A breach of drift is no reason; one of accuracy is where ``on_breach`` is on, which it is not by default."""
    assert not _asked(_champion(), 40, DRIFT)["train"]
    assert not _asked(_champion(), 40, DRIFT, ACCURACY, model=late_parcel)["train"]
    found = _asked(_champion(), 40, DRIFT, ACCURACY)
    assert found["train"]
    assert found["why"] == "breached: accuracy auc is 0.4, limit 0.5, on 900 rows"


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
