"""Proves how much a candidate relies on its inputs: on what it reads, not on what it ignores."""

from typing import cast

import numpy as np
import pyarrow as pa
import pytest

from smallbox.arrays import Floats, Floats32, Objects
from smallbox.define.signature import Columns
from smallbox.objectives.binary import Binary
from smallbox.objectives.objective import Objective
from smallbox.objectives.ranking import Ranking
from smallbox.registry.scorer import Scorer
from smallbox.training import input_importance as module
from smallbox.training.examples import examples_of
from smallbox.training.input_importance import input_importance

COLUMNS = Columns(("used", "unused"), ("text",))
ROWS = 1_000


class _Reads:
    """Stands in for the ONNX model: it reads the first number and whether the text is ``a``."""

    def score(self, numeric: Floats32, categorical: Objects) -> Floats:
        """``(n, 1)``."""
        chance: Floats = 1 / (1 + np.exp(-2.0 * numeric[:, :1] - (categorical == "a")))
        return chance


def _found(objective: Objective) -> dict[str, float]:
    random = np.random.default_rng(0)
    numeric = random.normal(size=(ROWS, 2)).astype(np.float32)
    texts = random.choice(["a", "b"], (ROWS, 1)).astype(object)
    outputs = _Reads().score(numeric, texts)
    labels = random.random(ROWS) < outputs[:, 0]
    times = np.arange(ROWS) * 3_600_000_000
    table = {"time": times, "label_known_at": times, "label": labels, "used": numeric[:, 0], "unused": numeric[:, 1]}
    rows = pa.table({**table, "text": texts[:, 0].tolist(), "group": [f"g{n // 5}" for n in range(ROWS)]})
    examples = examples_of(COLUMNS, objective, rows)
    return input_importance(objective, cast("Scorer", _Reads()), examples, examples.scored(outputs))


@pytest.mark.parametrize("objective", [Binary(), Ranking("search")])
@pytest.mark.parametrize("most", [4_000, 300])
def test_an_input_that_is_read_is_important(objective: Objective, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also from a sample, of whole groups where rows are ranked in groups; what is never read has none."""
    monkeypatch.setattr(module, "PERMUTED_ROWS", most)
    found = _found(objective)
    assert found["used"] > found["text"] >= 0
    assert found["used"] > 0.05
    assert found["unused"] == pytest.approx(0, abs=1e-6)
