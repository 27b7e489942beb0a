"""Proves that the definition that the README shows is one."""

import re
from pathlib import Path
from typing import Any

from smallbox import define
from smallbox.define.model import Model
from smallbox.define.project import project_of
from smallbox.define.source import Source

README = Path(__file__).parents[3] / "README.md"


def test_the_definition_in_the_readme_is_valid() -> None:
    """Copied as it stands, with the names of `smallbox.define`, it defines a model whose views and label fit."""
    (code,) = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    names: dict[str, Any] = {name: getattr(define, name) for name in define.__all__} | {
        "build_pipeline": lambda _: None
    }
    exec(code, names)  # noqa: S102 - our own README
    sources = [value for value in names.values() if isinstance(value, Source)]
    project = project_of([value for value in names.values() if isinstance(value, Model)], sources)
    assert list(project.models) == ["fraud"]
    assert project.models["fraud"].columns.names == ("amount", "payments_1h", "mean_amount_7d")
