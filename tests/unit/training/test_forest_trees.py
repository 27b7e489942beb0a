"""Proves that exported trees and forests send a missing value where scikit-learn sends it."""

from typing import Any, Final

import numpy as np
import pandas as pd
import pytest
from sklearn.base import is_classifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.pipeline import Pipeline

from smallbox.define import Binary, Columns, Regression, prepare
from smallbox.objectives.objective import LabelField
from smallbox.registry.scorer import Scorer
from smallbox.training.export import to_onnx
from smallbox.training.forest_trees import FORESTS

COLUMNS: Final = Columns(("a", "b", "c"), ())
ROWS: Final = 1_000


def _rows(missing: float) -> Any:
    random = np.random.default_rng(7)
    values = random.normal(size=(ROWS, 3)).astype(np.float32)
    values[random.random(values.shape) < missing] = np.nan
    return pd.DataFrame(values, columns=list(COLUMNS.numeric))


def _difference(estimator: Any, seen: float) -> float:
    """Largest difference of an output on rows of which a third of the values is missing."""
    rows, asked, is_class = _rows(seen), _rows(0.33), is_classifier(estimator)
    target = np.where(rows["a"].isna(), 2.0, rows["a"]) + rows["b"].fillna(-1.0)
    pipeline = Pipeline([("prepare", prepare(COLUMNS)), ("trees", estimator)])
    pipeline.fit(rows, target > 0 if is_class else target)
    objective = (Binary() if is_class else Regression()).for_label(
        LabelField("label", "boolean" if is_class else "number", (), None)
    )
    content = to_onnx([pipeline], COLUMNS, objective)
    ours = Scorer(content).score(asked.to_numpy(np.float64), np.empty((ROWS, 0), object))[:, 0]
    theirs = pipeline.predict_proba(asked)[:, 1] if is_class else pipeline.predict(asked)
    return float(np.abs(ours - theirs).max())


@pytest.mark.parametrize("seen", [0.0, 0.33], ids=["never missing in training", "missing in training"])
@pytest.mark.parametrize("kind", FORESTS, ids=lambda kind: kind.__name__)
def test_a_missing_value_goes_where_scikit_learn_sends_it(kind: Any, seen: float) -> None:
    """Also where no value was missing in training: online a store that is late leaves every stored feature missing."""
    assert _difference(kind(random_state=0), seen) < 1e-5


def test_a_forest_inside_a_calibration_is_exported_alike() -> None:
    """The forests are then held by other estimators."""
    forest = next(kind for kind in FORESTS if kind.__name__ == "RandomForestClassifier")
    assert _difference(CalibratedClassifierCV(forest(n_estimators=20, random_state=0), cv=2), 0.33) < 1e-5
