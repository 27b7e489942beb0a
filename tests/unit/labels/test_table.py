"""Proves which labelled predictions are judged: those with every output and a label of the objective."""

import pyarrow as pa

from smallbox.define import Ranking, Regression
from smallbox.labels.table import of_objective, scored_rows


def test_a_row_without_a_number_is_not_judged() -> None:
    """Null and NaN alike are no output, so neither poisons a mean."""
    rows = pa.table({"score": [1.0, None, float("nan"), 2.0], "label_number": [1.0, 1.0, 1.0, None]})
    assert of_objective(Regression(), rows).to_pylist() == [True, False, False, False]


def test_a_row_without_its_group_is_not_judged() -> None:
    """Rows from before the label was a ranking have no group."""
    rows = pa.table({"score": [1.0, 2.0, 3.0], "label_number": [1.0, 0.0, 1.0], "group": ["a", None, "a"]})
    found = rows.filter(of_objective(Ranking("search_id"), rows))
    assert scored_rows(Ranking("search_id"), found).groups.tolist() == [0, 0]
