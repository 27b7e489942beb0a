"""Proves that the definition that the README shows is one."""

import re
from pathlib import Path
from typing import Any

from smallbox.define.model import Model
from smallbox.define.project import project_of
from smallbox.define.source import Source

README = Path(__file__).parents[3] / "README.md"


def test_the_definition_in_the_readme_is_valid() -> None:
    """Copied as it stands, it defines a model whose views, label and pipeline fit."""
    (code,) = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 - our own README
    sources = [value for value in names.values() if isinstance(value, Source)]
    project = project_of([value for value in names.values() if isinstance(value, Model)], sources)
    assert list(project.models) == ["fraud"]
    model = project.models["fraud"]
    assert model.columns.numeric == ("amount", "payments_1h", "large_rate_30d", "mean_amount_7d", "amount_to_usual")
    assert model.columns.categorical == ("country",)
    assert [name for name, _ in model.estimator(model.columns).steps] == ["prepare", "trees"]
