"""Proves which system a command speaks to: by ``--on``, the environment, the saved default, else the local one."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from smallbox.cli import main
from smallbox.cli.checkout import MARK
from smallbox.cli.contexts import LOCAL, ON, Context, SavedContexts, chosen, contexts_file, saved_contexts
from smallbox.errors import InvalidInput, NotFound
from tests.deployed.operated import ELSEWHERE, HERE_ALONE, IN_AN_ACCOUNT, IN_THE_LOOP, WITHOUT_A_SYSTEM
from tests.unit.cli.samples import CALLS


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user without saved contexts, in an empty checkout."""
    (tmp_path / MARK).touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    monkeypatch.delenv(ON, raising=False)


def _done(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert main.main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_without_a_choice_it_is_the_local_stack() -> None:
    """Nothing saved, nothing named."""
    assert chosen(None) == LOCAL
    assert LOCAL.is_local


def test_a_saved_context_is_found_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    """What `add` saves is what ``--on`` finds; adding again replaces it."""
    _done(capsys, "context", "add", "prod", "--profile", "other", "--region", "eu-west-1")
    _done(capsys, "context", "add", "prod", "--profile", "work", "--region", "eu-central-1", "--stacks", "A", "B")
    assert chosen("prod") == Context("prod", "work", "eu-central-1", ("A", "B"))
    assert list(saved_contexts().contexts) == ["prod"]


def test_the_nearest_choice_wins(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """``--on`` before the environment before the saved default."""
    for name in ("first", "second", "third"):
        _done(capsys, "context", "add", name)
    assert _done(capsys, "context", "use", "first")["used"] == "first"
    assert chosen(None).name == "first"
    monkeypatch.setenv(ON, "second")
    assert chosen(None).name == "second"
    assert chosen("third").name == "third"
    assert chosen("local") == LOCAL
    assert _done(capsys, "context", "list", "--on", "third")["used"] == "third"


def test_a_profile_and_a_region_need_not_be_saved() -> None:
    """Each may be left out: the credentials or the region that boto3 finds."""
    assert chosen("work/eu-central-1") == Context("work/eu-central-1", "work", "eu-central-1")
    assert (chosen("/eu-central-1").profile, chosen("work/").region) == ("", "")


def test_a_removed_context_is_no_default(capsys: pytest.CaptureFixture[str]) -> None:
    """Commands speak to the local stack again."""
    _done(capsys, "context", "add", "prod")
    _done(capsys, "context", "use", "prod")
    assert _done(capsys, "context", "remove", "prod")["used"] == "local"
    assert chosen(None) == LOCAL


def test_an_unknown_context_names_the_known() -> None:
    """Wherever it is named."""
    saved = SavedContexts().adding(Context("prod"))
    for wrong in (saved.named, saved.using, saved.without):
        with pytest.raises(NotFound, match=r"no context 'prd'; there are local, prod"):
            wrong("prd")


@pytest.mark.parametrize("name", ["local", "", "a/b"])
def test_a_name_that_means_something_else_is_refused(name: str) -> None:
    """``local`` and PROFILE/REGION keep their meaning."""
    with pytest.raises(InvalidInput, match="cannot be named"):
        SavedContexts().adding(Context(name))


def test_the_file_has_no_secret_and_is_the_users_alone(capsys: pytest.CaptureFixture[str]) -> None:
    """Profile, region and stack names; nobody else may read it."""
    _done(capsys, "context", "add", "prod", "--profile", "work")
    (saved,) = json.loads(contexts_file().read_text())["contexts"].values()
    assert saved.keys() == {"profile", "region", "stacks"}
    assert stat.S_IMODE(contexts_file().stat().st_mode) == 0o600


def test_a_broken_file_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """With what to do about it."""
    contexts_file().parent.mkdir(parents=True)
    contexts_file().write_text('{"contexts": []}')
    assert main.main(["status"]) == 1
    assert f"{contexts_file()} is not a file of contexts" in capsys.readouterr().err


@pytest.mark.parametrize("command", sorted(HERE_ALONE))
def test_what_needs_this_machine_says_so(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """In one sentence, before anything is started."""
    assert main.main(["--on", "work/eu-central-1", command, *CALLS[command].split()]) == 1
    said = capsys.readouterr().err
    assert f"`smallbox {command}` works on this machine only" in said
    assert said.count("\n") == 1


def test_every_command_has_a_place_where_it_is_tried() -> None:
    """A new command fails here until a deployed test, or none, is named for it."""
    places = [WITHOUT_A_SYSTEM, HERE_ALONE, set(IN_AN_ACCOUNT), IN_THE_LOOP, ELSEWHERE]
    assert sorted(command for place in places for command in place) == sorted(CALLS)


def test_deploying_needs_a_context(capsys: pytest.CaptureFixture[str]) -> None:
    """The local stack has a command of its own."""
    assert main.main(["deploy"]) == 1
    assert "name a context" in capsys.readouterr().err
