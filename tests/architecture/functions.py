"""The Lambda functions of the app and their wheels, read from what ``infra/stages`` declares."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from infra import wheels
from infra.deployment import ROOT
from tests.architecture.sources import parsed

FOLDER = ROOT / "functions"
TOO_HEAVY = {"pandas", "pyarrow", "sklearn", "scipy", "deltalake", "skl2onnx"}
"""What no layer has: only the container image does."""


@cache
def declared() -> Mapping[str, Sequence[str]]:
    """The wheels of each function, by its path like ``serving/predict``."""
    return dict(_declared())


def _declared() -> Iterator[tuple[str, Sequence[str]]]:
    for path in sorted((ROOT / "infra/stages").glob("*.py")):
        for call in ast.walk(parsed(path)):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "Function":
                named = {keyword.arg: keyword.value for keyword in call.keywords}["wheels"]
                yield f"{path.stem}/{ast.literal_eval(call.args[1])}", getattr(wheels, ast.unparse(named))


def zips() -> Mapping[str, Sequence[str]]:
    """The zip functions: those that list wheels; the others are the container image."""
    return {path: listed for path, listed in declared().items() if listed}
