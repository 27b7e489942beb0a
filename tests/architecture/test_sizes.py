"""Files, functions and handlers stay small enough to be read at once."""

import ast
from pathlib import Path

import pytest

from infra.deployment import ROOT
from tests.architecture.sources import committed, name_of, parsed

FILE_LINES = 300
FUNCTION_LINES = 40
HANDLER_LINES = 25

HANDLERS = sorted((ROOT / "functions").glob("*/*/handler.py"))


@pytest.mark.parametrize("path", committed(), ids=name_of)
def test_no_file_is_long(path: Path) -> None:
    """No file has 300 lines."""
    assert len(path.read_text().splitlines()) < FILE_LINES


@pytest.mark.parametrize("path", committed(), ids=name_of)
def test_no_function_is_long(path: Path) -> None:
    """No function has more than 40 lines, its docstring among them."""
    functions = [n for n in ast.walk(parsed(path)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    long = {f.name: f.end_lineno - f.lineno + 1 for f in functions if f.end_lineno}
    assert {name: lines for name, lines in long.items() if lines > FUNCTION_LINES} == {}


def _own_lines(path: Path) -> int:
    """Lines that do something: no imports, docstrings, comments or blank lines."""
    body = [n for n in parsed(path).body if not isinstance(n, ast.Import | ast.ImportFrom)]
    code = ast.unparse(ast.Module([n for n in body if not isinstance(n, ast.Expr)], []))
    documented = [n for n in body if isinstance(n, ast.FunctionDef) and ast.get_docstring(n)]
    return sum(1 for line in code.splitlines() if line) - len(documented)


@pytest.mark.parametrize("path", HANDLERS, ids=name_of)
def test_a_handler_only_parses_calls_and_renders(path: Path) -> None:
    """A handler has at most 25 lines of its own: what it does is in the library, where it is tested."""
    assert _own_lines(path) <= HANDLER_LINES
