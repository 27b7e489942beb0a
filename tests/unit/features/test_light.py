"""What the light functions may import."""

import ast
import subprocess
import sys

import pytest

from tests.architecture.functions import FOLDER, TOO_HEAVY, zips
from tests.architecture.sources import parsed


@pytest.mark.parametrize("path", zips())
def test_a_light_function_starts_without_what_its_layers_do_not_have(path: str) -> None:
    """What the handler of a zip function imports loads none of the heavy packages, though all are installed here."""
    tree = parsed(FOLDER / path / "handler.py")
    imports = [ast.unparse(node) for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert any("smallbox." in line for line in imports)
    program = "\n".join([*imports, "import sys", "print(*sorted({name.partition('.')[0] for name in sys.modules}))"])
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603 - our own program
    assert set(done.stdout.split()) & TOO_HEAVY == set()
