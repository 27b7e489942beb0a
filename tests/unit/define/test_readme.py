"""Proves that the two definitions that the README shows are valid, as they are printed."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from smallbox.define.model import Model
from smallbox.define.project import Project, project_of
from smallbox.define.source import Source

README = Path(__file__).parents[3] / "README.md"
SMALL, COMPLETE = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)


def _project(code: str) -> Project:
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 - our own README
    sources = [value for value in names.values() if isinstance(value, Source)]
    return project_of([value for value in names.values() if isinstance(value, Model)], sources)


def test_the_small_definition_is_valid_and_its_pipeline_fits() -> None:
    """It has about 15 lines; its estimator learns from a frame of its columns and scores it."""
    assert len([line for line in SMALL.splitlines() if line]) <= 17
    model = _project(SMALL).models["fraud"]
    assert model.columns.names == ("amount", "payments_1h", "mean_amount_7d")
    amount = np.arange(200, dtype=np.float32)
    frame = pd.DataFrame(dict.fromkeys(model.columns.names, amount))
    scores = model.estimator(model.columns).fit(frame, amount > 100).predict_proba(frame)[:, 1]
    assert scores[0] < 0.5 < scores[-1]


def test_the_complete_definition_is_valid() -> None:
    """It defines one model whose views, label, columns and pipeline fit together."""
    project = _project(COMPLETE)
    assert list(project.models) == ["fraud"]
    model = project.models["fraud"]
    assert model.columns.numeric == ("amount", "payments_1h", "large_rate_30d", "mean_amount_7d", "amount_to_usual")
    assert model.columns.categorical == ("country",)
    assert [name for name, _ in model.estimator(model.columns).steps] == ["prepare", "trees"]
