"""Proves that the day's end and its alarms come to one decision, and start one run."""

from collections.abc import Callable
from typing import Any

import pytest

from smallbox.define.project import project_of
from smallbox.errors import NotReady
from smallbox.monitoring.report import LATEST, Check, metrics_partition, report_of
from smallbox.registry.store import Registry
from smallbox.retraining.run import DecideTask
from smallbox.times import DAY, format_moment
from tests.fakes.documents import FakeDocuments
from tests.fakes.edges import FakeWorkflow
from tests.fakes.small import late_parcel

NAME = late_parcel.name
MIDNIGHT = format_moment(40 * DAY)


def _task() -> tuple[DecideTask, FakeWorkflow, FakeDocuments]:
    workflow, metrics = FakeWorkflow(), FakeDocuments()
    return DecideTask(project_of([late_parcel]), Registry(FakeDocuments()), metrics, workflow), workflow, metrics


def _report() -> dict[str, Any]:
    breach = Check("accuracy", "auc", 0.4, 0.5, breached=True, rows=900)
    return report_of(NAME, "1970-02-09", MIDNIGHT, [breach])


@pytest.mark.parametrize("alarm_first", [True, False])
def test_an_alarm_and_the_day_start_one_run(alarm_first: bool) -> None:  # noqa: FBT001 - the two orders
    """Whoever asks first, both get the decision to train with the same execution, and one run was started."""
    task, workflow, metrics = _task()
    metrics.put(metrics_partition(NAME), LATEST, _report())
    ask: list[Callable[[], dict[str, Any]]] = [
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
    with pytest.raises(NotReady, match="no day"):
        task.on_alarm(NAME)
