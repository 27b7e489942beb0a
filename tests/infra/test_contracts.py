"""Synthesis refuses definitions that do not fit the contracts of the stored snapshot."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from smallbox.define import integer
from smallbox.define.project import Project, load
from smallbox.registry.contracts import Contracts
from tests.fakes.documents import FakeDocuments
from tests.infra.conftest import CONTEXTS, synthesis


def _deployed_otherwise() -> Project:
    """The shipped definitions, with a field of another type."""
    project = load()
    weather = project.sources["weather"]
    before = replace(weather, fields={**weather.fields, "temperature": integer()})
    return Project({**project.sources, "weather": before}, project.views, project.models)


@pytest.mark.parametrize("deployment", CONTEXTS)
def test_synthesis_refuses_what_does_not_fit(tmp_path: Path, deployment: str) -> None:
    """It fails with the refusal and writes nothing."""
    (tmp_path / ".smallbox").mkdir()
    contracts = Contracts(FakeDocuments())
    contracts.record(_deployed_otherwise(), 0)
    (tmp_path / f".smallbox/contracts-{deployment}.json").write_text(json.dumps(contracts.snapshot()))
    running = synthesis(tmp_path / "out", CONTEXTS[deployment], tmp_path, stderr=subprocess.PIPE)
    _, error = running.communicate()
    assert running.returncode != 0
    assert b"field 'temperature': its column in the lake holds the type integer, not number" in error
    assert not (tmp_path / "out" / "manifest.json").exists()
