"""The command line, called in this process as people call it."""

import io
import json
import shlex
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any

from smallbox.cli import main


@dataclass(frozen=True, slots=True)
class Said:
    """What a command returned: its exit code, its document, and what it wrote to standard error."""

    code: int
    document: Any
    error: str


def smallbox(on: str, line: str) -> Said:
    """Run ``smallbox --on ON LINE --json`` in the working directory."""
    out, error = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(error):
        code = main.main(["--on", on, "--json", *shlex.split(line)])
    return Said(code, json.loads(out.getvalue()), error.getvalue())
