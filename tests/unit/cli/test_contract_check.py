"""Proves that what is deployed is asked for, kept, and compared before anything is deployed."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import pytest

from smallbox.cli import contract, deploy, emulator, local, main, up
from smallbox.cli.checkout import MARK
from smallbox.cli.contexts import LOCAL, Context
from smallbox.cli.contract_check import (
    fetch_snapshot,
    require_compatible,
    snapshot_file,
    stored_snapshot,
)
from smallbox.cli.stack import Stack
from smallbox.define import number
from smallbox.define.project import Project, load, project_of
from smallbox.define.refusals import LIVE, Reader
from smallbox.documents.deployed_contracts import ContractsSnapshot
from smallbox.errors import DefinitionError, Unavailable
from smallbox.registry.contracts import Contracts
from tests.fakes.documents import FakeDocuments
from tests.fakes.small import deliveries, late_parcel

PROD: Final = Context("work/eu-central-1", "work", "eu-central-1")
CONTEXTS: Final = (LOCAL, PROD)
RUNNING: Final = local.RunningEmulator("http://127.0.0.1:1", 1)


@pytest.fixture(autouse=True)
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty checkout."""
    (tmp_path / MARK).touch()
    monkeypatch.chdir(tmp_path)


def _snapshot(project: Project, *readers: Reader) -> ContractsSnapshot:
    contracts = Contracts(FakeDocuments())
    contracts.record(project, 0)
    return contracts.snapshot(readers)


def _answering(status: int, answer: object) -> Any:
    """An API with one answer, that only takes the question for contracts."""
    asked = {("GET", "/contracts"): (status, answer)}
    return SimpleNamespace(request=lambda method, path: asked[method, path])


def _loaded_without(field: str) -> ContractsSnapshot:
    """The snapshot of a deployment whose arrivals had one field more, which a live version reads."""
    project = load()
    arrivals = replace(project.sources["arrivals"], fields={**project.sources["arrivals"].fields, field: number()})
    before = Project({**project.sources, "arrivals": arrivals}, project.views, project.models)
    return _snapshot(before, Reader("late_arrival version 3", {"arrivals": frozenset({field})}))


@pytest.mark.parametrize("context", CONTEXTS)
def test_the_answer_is_kept_for_its_deployment(context: Context) -> None:
    """What the deployed system answered is read back; the other deployment has a file of its own."""
    snapshot = _snapshot(project_of([late_parcel]))
    fetch_snapshot(context, _answering(200, snapshot))
    assert [stored_snapshot(name) for name in CONTEXTS] == [snapshot if name == context else None for name in CONTEXTS]


def test_a_system_that_does_not_know_the_question_is_not_checked(capsys: pytest.CaptureFixture[str]) -> None:
    """An upgrade from before goes on, and standard error says that nothing was checked; an older answer is gone."""
    fetch_snapshot(LOCAL, _answering(200, _loaded_without("gone")))
    fetch_snapshot(LOCAL, _answering(404, {"message": "Not Found"}))
    assert "not checked" in capsys.readouterr().err
    require_compatible(load(), LOCAL)


def test_nothing_deployed_is_nothing_to_check(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a system the older answer is gone, and nothing is said."""
    fetch_snapshot(PROD, _answering(200, _loaded_without("gone")))
    fetch_snapshot(PROD, None)
    assert stored_snapshot(PROD) is None
    require_compatible(load(), PROD)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("status", [403, 500])
def test_an_answer_that_is_an_error_stops_the_deployment(status: int) -> None:
    """What is deployed is not known then, so nothing may be deployed over it; an older answer stays."""
    fetch_snapshot(PROD, _answering(200, _loaded_without("gone")))
    with pytest.raises(Unavailable, match=f"answered {status}.*nothing was deployed"):
        fetch_snapshot(PROD, _answering(status, {"message": "no"}))
    assert stored_snapshot(PROD) is not None


def test_every_refusal_is_listed() -> None:
    """Each on a line and in the details; what counts as live is said, and whose the snapshot is."""
    reader = Reader("late_parcel version 3", {"deliveries": frozenset({"delay"})})
    fetch_snapshot(LOCAL, _answering(200, _snapshot(project_of([late_parcel]), reader)))
    less = {name: field for name, field in deliveries.fields.items() if name != "delay"}
    changed = replace(deliveries, fields={**less, "weight": number()})
    with pytest.raises(DefinitionError) as refused:
        require_compatible(project_of([], [changed]), LOCAL)
    message, details = refused.value.message, refused.value.details["refusals"]
    assert [line for line in details if line.startswith("source deliveries: field ")] == details
    assert len(details) == 2
    assert message.count("\n") == 3
    assert all(part in message for part in (*details, LIVE, str(snapshot_file(LOCAL)), "smallbox up"))


def test_a_running_stack_is_asked_before_it_is_deployed_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """`up` refuses what the running stack does not allow; nothing was deployed to it."""
    monkeypatch.setattr(emulator, "alive", lambda _: True)
    monkeypatch.setattr(Stack, "http", _answering(200, _loaded_without("gone")))
    monkeypatch.setattr(up, "cdk_deploy", _never)
    local.remember(RUNNING)
    with pytest.raises(DefinitionError, match="'gone' was removed"):
        up.start_stack()


def test_a_stack_whose_deployment_failed_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has no API; the next `up` must be able to mend it."""
    monkeypatch.setattr(emulator, "alive", lambda _: True)
    monkeypatch.setattr(Stack, "outputs", {})
    local.remember(RUNNING)
    assert up.local_api() is None


def test_stopping_the_stack_forgets_its_contracts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its data is gone: a new stack may have other contracts. Those of AWS stay."""
    monkeypatch.setattr(emulator, "stop_emulator", lambda _: None)
    for name in CONTEXTS:
        fetch_snapshot(name, _answering(200, _loaded_without("gone")))
    up.stop_stack()
    assert stored_snapshot(LOCAL) is None
    assert stored_snapshot(PROD) is not None


def _never(*_: object) -> Any:
    pytest.fail("nothing may be deployed")


def test_aws_is_asked_before_it_is_deployed_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """`deploy` refuses what the deployed system does not allow, before it builds or deploys anything."""
    monkeypatch.setattr(deploy, "require_no_mistake", load)
    monkeypatch.setattr(Stack, "api", lambda _: _answering(200, _loaded_without("gone")))
    monkeypatch.setattr(deploy, "cdk_deploy", _never)
    monkeypatch.setattr(subprocess, "run", _never)
    assert main.main(["deploy", "--on", "/eu-central-1"]) == 1


def _shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert main.main(["contract", "show", "--json", *arguments]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("flag", [[], ["--on", "/eu-central-1"]])
def test_the_versions_are_shown_beside_the_deployed_ones(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, flag: list[str]
) -> None:
    """Without an answer yet only those of the definitions; then the deployed ones, and what is not deployed yet."""
    first = _shown(capsys, *flag)
    assert first["snapshot"] is None
    assert {source["source"] for source in first["sources"]} == set(load().sources)
    for owner, asks in ((contract, "local_api"), (Stack, "api")):
        monkeypatch.setattr(owner, asks, lambda *_: _answering(200, _loaded_without("gone")))
    shown = {source["source"]: source for source in _shown(capsys, "--fetch", *flag)["sources"]}
    assert shown["weather"]["version"] == shown["weather"]["deployed"]
    assert shown["weather"]["since"] == "1970-01-01T00:00:00Z"
    assert shown["arrivals"]["version"] != shown["arrivals"]["deployed"]
    assert shown["arrivals"]["changes"] == ["gone was removed"]
    assert _shown(capsys, *flag)["sources"] == list(shown.values())


def test_a_registry_that_lost_something_does_not_pass_for_an_old_system() -> None:
    """The function answers 404 with an error of its own then; nothing is deployed unchecked."""
    lost = {"error": {"code": "not_found", "message": "model 'm' has no signature 'x'"}}
    with pytest.raises(Unavailable, match=r"no signature.*nothing was deployed.*smallbox down"):
        fetch_snapshot(LOCAL, _answering(404, lost))
