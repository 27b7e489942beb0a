"""Proves that `check`, `up`, `deploy` and `train` name a user's mistakes in sentences and never show a traceback."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from smallbox.cli.checkout import MARK

WRONG = """\
from smallbox.define import *

payments = Source("payments", key="id", time="at", fields={"id": text(), "at": timestamp(), "bad": boolean()})
fraud = Model("fraud", request=payments, inputs=(), label=label(payments, on="id", value="bad", within="1d"))
late = Source("Late", key="id", time="at", fields={"id": text(), "at": timestamp()})
"""
REGRESSOR = """\
from smallbox.define import *

fields = {"id": text(), "at": timestamp(), "bad": boolean(), "amount": number()}
payments = Source("payments", key="id", time="at", fields=fields)


def line(columns):
    from sklearn.linear_model import LinearRegression
    from sklearn.pipeline import Pipeline

    return Pipeline([("prepare", prepare(columns)), ("line", LinearRegression())])


outcome = label(payments, on="id", value="bad", within="1d")
fraud = Model("fraud", request=payments, inputs=("amount",), label=outcome, estimator=line)
"""

CLOSURE = """\
from smallbox.define import *

fields = {"id": text(), "at": timestamp(), "bad": boolean(), "amount": number()}
payments = Source("payments", key="id", time="at", fields=fields)


def by(factor):
    def scaled(amount):
        return amount * factor

    return scaled


outcome = label(payments, on="id", value="bad", within="1d")
fraud = Model("fraud", request=payments, inputs=(), label=outcome, on_demand=(by(2),), estimator=len)
"""


def _smallbox(folder: Path, definition: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """The command in a checkout of its own with one file of definitions."""
    package = folder / "definitions"
    package.mkdir()
    (folder / MARK).touch()
    (package / "__init__.py").touch()
    (package / "fraud.py").write_text(definition)
    program = f"import sys; sys.path.insert(0, {str(folder)!r}); from smallbox.cli.main import main; sys.exit(main())"
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - our own


def test_check_names_all_mistakes_for_people(tmp_path: Path) -> None:
    """A line each, with file and line as an editor takes them, and exit code 1."""
    ended = _smallbox(tmp_path, WRONG, "check")
    assert ended.returncode == 1
    assert [line.split(": ")[0] for line in ended.stdout.splitlines()] == [
        "definitions/fraud.py:4",
        "definitions/fraud.py:5",
    ]
    assert "estimator= is missing; write it" in ended.stdout
    assert ended.stderr == ""


def test_check_names_them_for_programs(tmp_path: Path) -> None:
    """The same with ``--json`` as records of file, line and message."""
    ended = _smallbox(tmp_path, WRONG, "check", "--json")
    mistakes = json.loads(ended.stdout)["mistakes"]
    assert [(mistake["file"], mistake["line"]) for mistake in mistakes] == [
        ("definitions/fraud.py", 4),
        ("definitions/fraud.py", 5),
    ]


@pytest.mark.parametrize("command", [("up",), ("deploy", "--on", "/eu-central-1"), ("train", "fraud")])
def test_a_command_that_deploys_or_trains_checks_first(tmp_path: Path, command: tuple[str, ...]) -> None:
    """Nothing is started: a sentence for each mistake, exit code 1, no traceback."""
    ended = _smallbox(tmp_path, WRONG, *command)
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr.startswith(
        "smallbox: there are 2 mistakes in the definitions:\n  definitions/fraud.py:4: Model"
    )
    assert "Traceback" not in ended.stderr
    assert list((tmp_path / ".smallbox").glob("*")) == []


def test_a_regressor_is_found_without_deploying(tmp_path: Path) -> None:
    """The estimators are built when that is asked for, and the function's line is named."""
    ended = _smallbox(tmp_path, REGRESSOR, "check", "--estimators")
    assert ended.returncode == 1
    assert ended.stdout.startswith(
        "definitions/fraud.py:7: model fraud: the estimator ends in LinearRegression, and the label's"
    )


def test_the_quick_check_loads_nothing_heavy() -> None:
    """Without ``--estimators`` none of the packages that take long to import is imported."""
    heavy = ("sklearn", "numpy", "pandas", "pyarrow", "boto3", "botocore", "urllib3", "rich")
    program = f"import sys; from smallbox.cli.main import main; main(); print([n for n in {heavy} if n in sys.modules])"
    ended = subprocess.run([sys.executable, "-c", program, "check"], capture_output=True, text=True, check=True)  # noqa: S603
    assert ended.stdout.splitlines()[-1] == "[]"


def test_an_on_demand_function_that_no_version_could_keep_is_a_mistake(tmp_path: Path) -> None:
    """A closure depends on what is around it, which a version does not store; its own line is named."""
    ended = _smallbox(tmp_path, CLOSURE, "check")
    assert ended.returncode == 1
    assert ended.stdout.startswith("definitions/fraud.py:8: on-demand feature scaled: it uses factor")


def test_check_compares_with_what_runs_here(tmp_path: Path) -> None:
    """A type that the deployed column does not have is named before `up` is tried, and the exit code is 1."""
    (tmp_path / ".smallbox").mkdir()
    column = {"type": "text", "unit": ""}
    contract: dict[str, object] = {"key": "id", "time": "at", "known_after": None, "fields": {}}
    source = {"contract": contract, "version": "1", "history": [], "columns": {"amount": column}}
    snapshot = {"sources": {"payments": source}, "models": {}, "readers": []}
    (tmp_path / ".smallbox/contracts-local.json").write_text(json.dumps(snapshot))
    ended = _smallbox(tmp_path, REGRESSOR, "check")
    assert ended.returncode == 1
    assert "source payments: field 'amount': its column in the lake holds the type text, not number" in ended.stdout
