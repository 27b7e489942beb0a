"""Proves how a document is printed, for people and for programs."""

import argparse
import io
import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallbox.cli import main
from smallbox.cli import tables as people
from smallbox.cli.output import MAX_ROWS_SHOWN, TableBlock, blocks_of, printed, write
from tests.unit.cli.samples import REPORT

PROGRAM = """
import argparse, sys
from smallbox.cli import main, output

document = {"accepted": 1, "more": ["x" * 100] * 10_000}
parser = argparse.ArgumentParser()
parser.set_defaults(run=output.printed(lambda _: document))
main.parser = lambda: parser
sys.exit(main.main([]))
"""


def test_a_program_gets_errors_as_json_too(capsys: pytest.CaptureFixture[str], tmp_path: Any) -> None:
    """The sentence goes to standard error, the code and the details to where the document would be."""
    assert main.main(["contract", "infer", str(tmp_path / "none.csv"), "--json"]) == 1
    ended = capsys.readouterr()
    assert json.loads(ended.out)["error"]["code"] == "not_found"
    assert ended.err.startswith("smallbox: there is no file")


def test_a_dataclass_is_a_document_too(capsys: pytest.CaptureFixture[str]) -> None:
    """A command may return what it has."""

    @dataclass
    class Answer:
        rows: int

    assert printed(lambda _: Answer(3))(argparse.Namespace(json=True)) == 0
    assert json.loads(capsys.readouterr().out) == {"rows": 3}


def test_the_checks_of_a_day_are_a_table() -> None:
    """A line for each check, with what breached in words above it."""
    stream = io.StringIO()
    write(people.report(REPORT), stream)
    lines = [line.split() for line in stream.getvalue().splitlines()]
    assert ["breaches:", "none"] in lines
    assert ["data", "volume:weather", "71", "21.6", "71", "no"] in lines


DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(DOCUMENTS)
def test_no_document_steers_a_terminal(document: Any) -> None:
    """Whatever a record holds, people get lines of printable characters."""
    stream = io.StringIO()
    write(blocks_of(document), stream)
    assert all(line.isprintable() for line in stream.getvalue().split("\n"))


def test_colours_are_never_forced_into_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that asks for colours means a terminal."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    stream = io.StringIO()
    write([TableBlock(("a",), [["[red]b[/]"]])], stream)
    assert "[red]b[/]" in stream.getvalue()
    assert "\x1b" not in stream.getvalue()


def test_a_long_table_says_what_is_left_out() -> None:
    """People get the first rows, and the number of the others."""
    stream = io.StringIO()
    write([TableBlock(("n",), [[n] for n in range(MAX_ROWS_SHOWN + 7)])], stream)
    assert stream.getvalue().endswith("and 7 more; --json has all\n")


def test_a_reader_may_leave_early() -> None:
    """Piped into something that stops reading, a command ends quietly."""
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:  # noqa: S603 - our own program
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(10) == 0


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({"accepted": 1, "rejected": []}, 0),
        ({"accepted": 1, "rejected": [{}]}, 0),
        ({"accepted": 0, "rejected": [{}]}, 1),
        ({"scored": 0, "rejected": 3}, 1),
        ([], 0),
    ],
)
def test_only_a_wholly_rejected_send_fails(document: Any, code: int) -> None:
    """A script can tell by the exit code when nothing of what it sent was taken."""
    assert printed(lambda _: document)(argparse.Namespace()) == code
