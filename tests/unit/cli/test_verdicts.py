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
DAY: dict[str, Any] = {"breaches": {"data": 1, "accuracy": 0}, "retraining": {"train": False, "why": "too soon"}}
STORY = ReplayResults(
    [{"accepted": 9, "rejected": 1}], 0, 0, RUN, ReplayCounts(sent=5, predictions=ASKED, days=[DAY]), {"scored": 3}
)
ALARMS = Alarms(before=(), rang=("data",), dead=0)
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
        (Alarms((), ("data",), dead=1), "ingestion"),
        (Alarms((), (), dead=0), "monitoring"),
        (Alarms((), ("accuracy", "data"), dead=0), "monitoring"),
    ],
)
def test_alarms_and_dead_letters_tell(alarms: Alarms, stage: str) -> None:
    """A dead letter, a breach without an alarm, an alarm without a breach."""
    assert _failed(alarms=alarms) == [stage]


def test_an_alarm_from_before_the_replay_does_not_count() -> None:
    """The system that is up may have lived before."""
    assert _failed(alarms=Alarms(("accuracy",), ("accuracy", "data"), dead=0)) == []


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
