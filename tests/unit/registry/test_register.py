"""Proves that what was tried is kept: accepted, refused or undecided as a version, failed as a line of history."""

from typing import Any

import pytest

from smallbox.define.project import project_of
from smallbox.documents.gate_verdict import GateOutcome
from smallbox.registry import register
from smallbox.registry.gate import Verdict
from smallbox.registry.register import RegisterTask
from smallbox.registry.store import Registry
from smallbox.times import DAY, format_moment
from tests.fakes.documents import FakeDocuments
from tests.fakes.small import late_parcel

NAME = late_parcel.name
ARTIFACTS = {"onnx_key": "m.onnx", "onnx_sha256": "00", "pipeline_key": "m.skops", "profile_key": "m.json"}
RUN: Any = {
    "model": NAME,
    "as_of": format_moment(DAY),
    "reason": "asked for",
    "dataset": "d.parquet",
    "data_versions": {},
    "columns": [],
    "dependencies": {},
    "metrics": {},
    "parity": {},
    "champion": None,
    "labels": {},
    "warnings": [],
    "artifacts": ARTIFACTS,
}


@pytest.mark.parametrize(
    ("outcome", "status"), [("accepted", "registered"), ("refused", "refused"), ("cannot_tell", "undecided")]
)
def test_each_outcome_is_a_status_and_a_line_of_history(
    outcome: GateOutcome, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The version and the history say what the gate decided, and only an accepted one goes on to be released."""
    monkeypatch.setattr(Verdict, "outcome", outcome)
    monkeypatch.setattr(Verdict, "accepted", outcome == "accepted")
    monkeypatch.setattr(register, "judge", lambda *_: Verdict(()))
    registry = Registry(FakeDocuments())
    judged = RegisterTask(project_of([late_parcel]), registry).run(RUN)
    assert judged["accepted"] is (outcome == "accepted")
    assert [version.status for version in registry.versions(NAME)] == [status]
    (line,) = registry.history(NAME)
    assert (line["event"], line["version"], line["reason"]) == (status, 1, "asked for")


@pytest.mark.parametrize("document", [{"as_of": format_moment(DAY)}, {}], ids=["of a moment", "of the present"])
def test_a_failed_run_is_in_the_history(document: Any) -> None:
    """The error's sentence is kept, at the moment that the run was of, which is the present where it named none."""
    registry = Registry(FakeDocuments())
    caught = {"Error": "NotReady", "Cause": '{"errorMessage": "no request has a label", "errorType": "NotReady"}'}
    task = RegisterTask(project_of([late_parcel]), registry)
    failed: Any = {"model": NAME, "reason": "age", "error": caught, **document}
    task.record_failure(failed, DAY)
    (line,) = registry.history(NAME)
    expected = {"at": format_moment(DAY), "event": "training_failed", "why": "no request has a label", "reason": "age"}
    assert line == expected


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        ({"Error": "ValueError", "Cause": '{"errorMessage": "a@example.org"}'}, "ValueError; the function's log says"),
        ({"Error": "States.Timeout", "Cause": ""}, "States.Timeout; the function's log says"),
        ({"Error": "NotReady", "Cause": "cut off"}, "NotReady"),
        ({}, "an unknown error"),
    ],
)
def test_an_error_that_is_not_ours_shows_only_its_name(error: dict[str, Any], sentence: str) -> None:
    """The text of a foreign error may hold a record's values."""
    assert register.failure_sentence(error).startswith(sentence)
    assert "example" not in register.failure_sentence(error)
