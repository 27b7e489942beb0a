"""The command says in one line what went wrong, and its exit code tells."""

from pathlib import Path

import pytest

from smallbox.cli import local, main
from smallbox.cli.checkout import MARK
from smallbox.errors import NotReady


def test_an_error_is_one_line_and_exit_code_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Outside a checkout nothing works, and the sentence says what to do."""
    monkeypatch.chdir(tmp_path)
    assert main.main(["up"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("smallbox: no cdk.json")
    assert error.count("\n") == 1


def test_down_without_a_stack_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is running after it: that is what was asked."""
    (tmp_path / MARK).touch()
    monkeypatch.chdir(tmp_path)
    assert main.main(["down"]) == 0


def test_an_emulator_is_remembered_until_it_is_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `up` wrote down is what the next command reads: as an operator, once there is one."""
    (tmp_path / MARK).touch()
    monkeypatch.chdir(tmp_path)
    emulator = local.RunningEmulator("http://127.0.0.1:1", 1)
    local.remember(emulator)
    assert local.running_emulator() == emulator
    with pytest.raises(NotReady, match="has not ended"):
        local.stack()
    local.remember(local.RunningEmulator(emulator.endpoint_url, 1, "k", "s"))
    stack = local.stack()
    assert (stack.endpoint_url, stack.region) == ("http://127.0.0.1:1", local.REGION)
    assert stack.session.get_credentials().access_key == "k"
    local.forget()
    with pytest.raises(NotReady, match="smallbox up"):
        local.stack()
