"""Proves that a reader who has seen enough is no error, and that a wholly rejected send is one."""

import argparse
import subprocess
import sys
from typing import Any

import pytest

from smallbox.cli.output import printed

PROGRAM = """
import argparse, sys
from smallbox.cli import main, output

document = {"accepted": 1, "more": ["x" * 100] * 10_000}
parser = argparse.ArgumentParser()
parser.set_defaults(run=output.printed(lambda _: document))
main.parser = lambda: parser
sys.exit(main.main([]))
"""


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
