"""Proves that a replay does not say that it worked when a stage did not."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from smallbox.cli.replay.driver import ReplayCounts
from smallbox.cli.replay.evidence import Evidence
from smallbox.cli.replay.phases import ReplayResults
from smallbox.cli.replay.verdicts import Alarms, verdicts_of
from smallbox.objectives.objective import Scored
from smallbox.stages import STAGES
from tests.fakes.small import late_parcel

ASKED = 20
RUN = {"accepted": True, "parity": {"largest": 1e-7}}
OPENED = {"id": "late_parcel-1970-02-09-loss", "opened": "1970-02-09", "state": "open", "sentence": "loss is 0.9"}
DAY: dict[str, Any] = {
    "day": "1970-02-09",
    "incidents": [OPENED],
    "retraining": {"train": False, "why": "too soon"},
}
STORY = ReplayResults(
    [{"accepted": 9, "rejected": 1}], 0, 0, RUN, ReplayCounts(sent=5, predictions=ASKED, days=[DAY]), {"scored": 3}
)
ALARMS = Alarms(before=False, rang=True, dead=0)
EVIDENCE = Evidence(
    served=100,
    unequal=0,
    largest_gap=0.0,
    predictions=ASKED,
    labels=15,
    statuses={"labelled": 15, "unlabelled": 5},
    weeks=(),
    days=(),
    scored=Scored(np.empty((0, 1)), np.empty(0), np.empty(0, int)),
    versions=[{"number": 1, "status": "champion"}],
    history=[],
)


def _failed(results: ReplayResults = STORY, evidence: Evidence = EVIDENCE, alarms: Alarms = ALARMS) -> list[str]:
    return [v.stage for v in verdicts_of(late_parcel, results, evidence, ASKED, alarms) if not v.worked]


def test_every_stage_worked() -> None:
    """The example from which the others differ in one thing: each of the nine stages has a verdict, and worked."""
    verdicts = verdicts_of(late_parcel, STORY, EVIDENCE, ASKED, ALARMS)
    assert {verdict.stage for verdict in verdicts} == set(STAGES)
    assert _failed() == []


@pytest.mark.parametrize(
    ("change", "stage"),
    [
        ({"unequal": 1}, "features"),
        ({"predictions": ASKED - 1}, "serving"),
        ({"labels": 1, "statuses": {"labelled": 1, "unlabelled": 19}}, "feedback"),
        ({"labels": 0, "statuses": {"absent": 20}}, "feedback"),
        ({"versions": [{"number": 1, "status": "refused"}]}, "registry"),
    ],
)
def test_what_was_left_behind_tells(change: dict[str, Any], stage: str) -> None:
    """A served value unlike its recomputation, an answer or a label that is missing, no champion."""
    assert _failed(evidence=replace(EVIDENCE, **change)) == [stage]


@pytest.mark.parametrize(
    ("alarms", "stage"),
    [
        (Alarms(before=False, rang=True, dead=1), "ingestion"),
        (Alarms(before=False, rang=False, dead=0), "monitoring"),
    ],
)
def test_alarms_and_dead_letters_tell(alarms: Alarms, stage: str) -> None:
    """A dead letter, and an incident without an alarm."""
    assert _failed(alarms=alarms) == [stage]


@pytest.mark.parametrize("before", [False, True])
def test_an_alarm_without_an_incident_tells_unless_it_rang_before(before: bool) -> None:  # noqa: FBT001
    """An incident that an earlier day opened rang then; the system that is up may have lived before."""
    quiet = {**DAY, "incidents": [{**OPENED, "opened": "1970-02-08"}]}
    results = replace(STORY, counts=replace(STORY.counts, days=[quiet]))
    failed = _failed(results, alarms=Alarms(before=before, rang=True, dead=0))
    assert failed == ([] if before else ["monitoring"])


def test_a_training_that_failed_is_told() -> None:
    """The replay goes on with the champion; its exit code still says that a training failed."""
    counts = replace(STORY.counts, failures=["training failed: too few rows"])
    verdicts = verdicts_of(late_parcel, replace(STORY, counts=counts), EVIDENCE, ASKED, ALARMS)
    assert [(v.stage, "too few rows" in v.evidence) for v in verdicts if not v.worked] == [("training", True)]


def test_an_accepted_version_that_was_forgotten_is_told() -> None:
    """It neither began a canary nor waits for one."""
    results = replace(STORY, counts=replace(STORY.counts, trainings=[{**RUN, "version": 2}]))
    assert _failed(results) == ["release"]
    waiting = [*EVIDENCE.versions, {"number": 2, "status": "registered"}]
    assert _failed(results, replace(EVIDENCE, versions=waiting)) == []


def test_labels_that_are_not_due_yet_are_no_failure() -> None:
    """A replay shorter than the attribution window has no label, and nothing went wrong."""
    assert _failed(evidence=replace(EVIDENCE, labels=0, statuses={"pending": 20})) == []
