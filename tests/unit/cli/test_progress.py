"""Proves that progress is for people at a terminal alone, on standard error, and names the state that runs."""

import argparse
import io
import sys
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from smallbox.cli import progress as module
from smallbox.cli.progress import machine_progress, progress
from smallbox.cli.system import System


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class _Executions:
    """A Step Functions client whose execution is in the state ``Fit`` until somebody has asked twice."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self._times = 0

    def start_execution(self, **_: Any) -> dict[str, str]:
        return {"executionArn": "arn"}

    def get_execution_history(self, **_: Any) -> dict[str, Any]:
        self._times += 1
        if self._times > 1:  # what it said the first time has been told
            self.asked.set()
        return {"events": [{"type": "TaskScheduled"}, {"stateEnteredEventDetails": {"name": "Fit"}}]}

    def describe_execution(self, **_: Any) -> dict[str, str]:
        return {"status": "SUCCEEDED" if self.asked.wait(10) else "FAILED", "output": "{}"}


def _run(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, *, json: bool) -> str:
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(module, "_ASK_SECONDS", 0.01)
    executions = _Executions()
    if json or not stream.isatty():
        executions.asked.set()
    stack: Any = SimpleNamespace(outputs={"TrainingMachine": "arn"}, client=lambda _: executions)
    system = System(stack)
    with machine_progress(argparse.Namespace(json=json), system, "training fraud"):
        assert system.run("TrainingMachine", {}) == {}
    return stream.getvalue()


def test_a_terminal_shows_the_state_that_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The state machine's current state stands behind what was asked for."""
    assert "training fraud: fit" in _run(monkeypatch, _Terminal(), json=False)


@pytest.mark.parametrize(("stream", "json"), [(io.StringIO(), False), (_Terminal(), True)])
def test_nobody_else_gets_any(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, *, json: bool) -> None:
    """A log has no spinner, and neither has a program that asked for JSON."""
    assert _run(monkeypatch, stream, json=json) == ""


def test_a_step_can_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command of several steps names the one that it is in."""
    stream = _Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    with progress(argparse.Namespace(json=False), "drop of a.csv") as tell:
        tell("online store")
    assert "drop of a.csv: online store" in stream.getvalue()
