"""Proves of every command, as the parser has them: it explains itself, prints for both readers, and its exit code."""

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from smallbox.cli import main
from smallbox.cli.output import Printed, printed
from smallbox.errors import NotReady
from tests.unit.cli.samples import CALLS, OTHERS, SAMPLES


@dataclass(frozen=True, slots=True)
class Entry:
    """A parser below the root: its words on the command line, its sentence in the help above it, and what is below."""

    words: str
    sentence: str
    parser: argparse.ArgumentParser
    is_command: bool


def _below(parser: argparse.ArgumentParser, words: str = "") -> Iterator[Entry]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            said = {choice.dest: choice.help or "" for choice in action._choices_actions}
            for word, one in action.choices.items():
                below = list(_below(one, f"{words} {word}".strip()))
                yield Entry(f"{words} {word}".strip(), said.get(word, ""), one, is_command=not below)
                yield from below


ENTRIES = {entry.words: entry for entry in _below(main.parser())}
COMMANDS = [words for words, entry in ENTRIES.items() if entry.is_command]
CASES = [(name, case) for samples in (SAMPLES, OTHERS) for name, case in samples.items()]

Run = Callable[[str, Callable[[argparse.Namespace], Any]], int]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command line as the program does, with something else in place of what the command does."""

    def as_program(line: str, instead: Callable[[argparse.Namespace], Any]) -> int:
        root = main.parser()
        for entry in _below(root):
            if entry.is_command:
                own = entry.parser.get_default("run")
                assert isinstance(own, Printed), f"{entry.words} prints through `printed`"
                entry.parser.set_defaults(run=replace(own, command=instead))
        monkeypatch.setattr(main, "parser", lambda: root)
        code = main.main(line.split())
        monkeypatch.undo()
        return code

    return as_program


def _line(name: str, *options: str) -> str:
    return " ".join([name, CALLS[name], *options])


def test_every_command_has_a_sample_and_a_call() -> None:
    """A new command fails here until a sample says what it returns; one that is gone may not stay."""
    assert set(COMMANDS) == set(SAMPLES) == set(CALLS)
    assert set(OTHERS) < set(COMMANDS)


@pytest.mark.parametrize(("name", "case"), CASES, ids=[name for name, _ in CASES])
def test_every_command_prints_for_people_and_for_programs(
    name: str, case: tuple[Any, str, int], run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of one document people read plain text, programs the document itself, and both get the same exit code."""
    document, part, code = case
    assert run(_line(name), lambda _: document) == code
    text = capsys.readouterr().out
    assert part in text
    assert "\x1b" not in text
    for line in (_line(name, "--json"), f"--json {_line(name)}"):
        assert run(line, lambda _: document) == code
        assert json.loads(capsys.readouterr().out) == document


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_samples_of_each_of_its_exit_codes(name: str) -> None:
    """There is a sample that worked; and one that did not, where the command or what it rejects can say so."""
    own = ENTRIES[name].parser.get_default("run").worked
    by_default = printed(lambda _: None).worked
    documents = [samples[name] for samples in (SAMPLES, OTHERS) if name in samples]
    can_fail = own is not by_default or any("rejected" in document for document, _, _ in documents)
    assert {code for _, _, code in documents} == ({0, 1} if can_fail else {0})


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_that_cannot_work_says_why_and_exits_with_1(
    name: str, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line on standard error; with ``--json`` a program finds the error's code where the document would be."""

    def fail(_: argparse.Namespace) -> Any:
        raise NotReady("nothing runs; start it with `smallbox up`")

    assert run(_line(name), fail) == 1
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "smallbox: nothing runs; start it with `smallbox up`\n")
    assert run(_line(name, "--json"), fail) == 1
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "not_ready"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_refuses_what_it_does_not_know(name: str, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """A command line that is written wrongly exits with 2, and says what is wrong."""
    with pytest.raises(SystemExit) as ended:
        run(_line(name, "--no-such-option"), lambda _: {})
    assert ended.value.code == 2
    assert "--no-such-option" in capsys.readouterr().err


@pytest.mark.parametrize("name", ENTRIES)
def test_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It has a sentence in the help above it; its own help shows how it is called, with every argument and ``--json``.

    An option says what it is for.
    """
    entry, above = ENTRIES[name], name.rpartition(" ")[0]
    assert entry.sentence
    assert _words(entry.sentence) in _words(_help(above, capsys))
    own = _help(name, capsys)
    assert own.startswith(f"usage: smallbox {name} ")
    assert "--json" in own
    for action in entry.parser._actions:
        assert action.help or not action.option_strings, action.option_strings
        assert any(written in own for written in _written(action)), action.dest


def _written(action: argparse.Action) -> list[str]:
    """How an argument may stand in a help."""
    choices = ["{" + ",".join(map(str, action.choices)) + "}"] if action.choices else []
    return [*action.option_strings, str(action.metavar or action.dest), *choices]


def _help(name: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        main.parser().parse_args([*name.split(), "--help"])
    assert ended.value.code == 0
    return capsys.readouterr().out


def _words(text: str) -> str:
    """A text without the line breaks, which argparse sets by the width of the terminal."""
    return "".join(text.split())


def test_json_is_off_when_it_is_left_out() -> None:
    """It may stand at each depth of a command, and nowhere but where it is written."""
    parse = main.parser().parse_args
    for line in ("--json quarantine list", "quarantine --json list", "quarantine list --json", "status --json"):
        assert parse(line.split()).json is True
    assert parse(["quarantine", "list"]).json is False
