"""Proves that what was tried is kept: accepted, refused or undecided as a version, failed as a line of history."""

from dataclasses import replace
from typing import Any

import pytest

from smallbox.define.bundle import functions_of
from smallbox.define.frozen import freeze, signature_digest, thaw
from smallbox.define.model import Model
from smallbox.define.project import project_of
from smallbox.documents.gate_verdict import GateOutcome
from smallbox.errors import NotReady
from smallbox.features.online.states import version_of
from smallbox.registry import register
from smallbox.registry.gate import Verdict
from smallbox.registry.register import RegisterTask
from smallbox.registry.store import Registry
from smallbox.times import DAY, format_moment
from tests.fakes.documents import FakeDocuments
from tests.fakes.edges import FakeBlobs
from tests.fakes.small import depot, late_parcel

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
    "baseline": {},
    "parity": {},
    "champion": None,
    "signature": signature_digest(late_parcel),
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
    judged = RegisterTask(project_of([late_parcel]), registry, FakeBlobs()).run(RUN)
    assert judged["accepted"] is (outcome == "accepted")
    assert [version.status for version in registry.versions(NAME)] == [status]
    (line,) = registry.history(NAME)
    assert (line["event"], line["version"], line["reason"]) == (status, 1, "asked for")


@pytest.mark.parametrize("document", [{"as_of": format_moment(DAY)}, {}], ids=["of a moment", "of the present"])
def test_a_failed_run_is_in_the_history(document: Any) -> None:
    """The error's sentence is kept, at the moment that the run was of, which is the present where it named none."""
    registry = Registry(FakeDocuments())
    caught = {"Error": "NotReady", "Cause": '{"errorMessage": "no request has a label", "errorType": "NotReady"}'}
    task = RegisterTask(project_of([late_parcel]), registry, FakeBlobs())
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


def double_weight(weight: Any) -> Any:
    """An on-demand feature."""
    return weight * 2


WITH_FUNCTION = replace(late_parcel, on_demand=(double_weight,))


class CountingDocuments(FakeDocuments):
    """Documents that remember which keys were written, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[str] = []

    def _write(self, at: tuple[str, str], document: Any, revision: int | None) -> None:
        self.written.append(at[1])
        super()._write(at, document, revision)


@pytest.fixture
def _passing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(register, "judge", lambda *_: Verdict(()))


def _run_of(model: Model, onnx_key: str = "m.onnx") -> Any:
    return {**RUN, "signature": signature_digest(model), "artifacts": {**ARTIFACTS, "onnx_key": onnx_key}}


@pytest.mark.usefixtures("_passing")
def test_a_version_names_what_it_was_trained_with() -> None:
    """Its signature is stored, thawed it has the model's columns; the version of each view stands in the version."""
    registry, blobs = Registry(FakeDocuments()), FakeBlobs()
    RegisterTask(project_of([late_parcel]), registry, blobs).run(_run_of(late_parcel))
    version = registry.get(NAME, 1)
    assert version.signature == signature_digest(late_parcel)
    assert registry.frozen(NAME, version.signature) == freeze(late_parcel)
    assert thaw(registry.frozen(NAME, version.signature), ()).columns == late_parcel.columns
    assert version.views == {"depot": version_of(depot)}
    assert (version.bundle_key, version.bundle_sha256, blobs.objects) == ("", "", {})


@pytest.mark.usefixtures("_passing")
def test_on_demand_functions_are_stored_with_their_digest() -> None:
    """The bundle that the version names computes what the function did."""
    registry, blobs = Registry(FakeDocuments()), FakeBlobs()
    RegisterTask(project_of([WITH_FUNCTION]), registry, blobs).run(_run_of(WITH_FUNCTION))
    version = registry.get(NAME, 1)
    assert list(blobs.objects) == [version.bundle_key]
    assert registry.frozen(NAME, version.signature)["bundle"] == version.bundle_sha256
    (function,) = functions_of(blobs.get(version.bundle_key), version.bundle_sha256)
    assert function(21) == 42


@pytest.mark.usefixtures("_passing")
def test_a_signature_is_stored_once_for_all_versions_and_retries() -> None:
    """A second version of one definition adds no second signature; a retry writes no version, and changes nothing."""
    documents, blobs = CountingDocuments(), FakeBlobs()
    registry = Registry(documents)
    task = RegisterTask(project_of([WITH_FUNCTION]), registry, blobs)
    first, second = _run_of(WITH_FUNCTION, "1.onnx"), _run_of(WITH_FUNCTION, "2.onnx")
    task.run(first)
    task.run(second)
    before, stored = (registry.versions(NAME), registry.history(NAME)), dict(blobs.objects)
    assert task.run(first)["version"] == 1
    assert ((registry.versions(NAME), registry.history(NAME)), blobs.objects) == (before, stored)
    kinds = [key.partition("#")[0] for key in documents.written]
    assert (kinds.count("signature"), kinds.count("version"), len(stored)) == (1, 2, 1)


@pytest.mark.usefixtures("_passing")
def test_a_definition_that_changed_since_the_fit_is_refused() -> None:
    """The sentence says what to do; neither a version, a signature, a line of history nor a bundle is stored."""
    documents, blobs = CountingDocuments(), FakeBlobs()
    task = RegisterTask(project_of([WITH_FUNCTION]), Registry(documents), blobs)
    with pytest.raises(NotReady, match="the definition of late_parcel was changed while it was trained; train again"):
        task.run(_run_of(late_parcel))
    assert (documents.written, blobs.objects) == ([], {})
