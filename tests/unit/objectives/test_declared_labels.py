"""Proves that a label which cannot be is refused where it is declared, or where it would train, with a sentence."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from smallbox.define import (
    Binary,
    Gate,
    Multiclass,
    Ranking,
    Regression,
    boolean,
    integer,
    label,
    number,
    text,
    timestamp,
)
from smallbox.define.frozen import freeze, thaw_label
from smallbox.define.source import Source
from smallbox.errors import DefinitionError
from smallbox.objectives.objective import Objective
from tests.fakes.small import late_parcel

ends = Source(
    "ends",
    key="parcel_id",
    time="ended_at",
    fields={
        "parcel_id": text(),
        "ended_at": timestamp(),
        "late": boolean(),
        "state": text(choices=("On Time", "très tard", "weight", "a b")),
        "minutes": number(),
        "pieces": integer(),
    },
)


def labelled(value: str, objective: Objective | None = None, otherwise: Any = None) -> Any:
    """A label of this source."""
    return label(ends, on="parcel_id", value=value, within="1d", otherwise=otherwise, objective=objective)


@pytest.mark.parametrize(
    ("value", "otherwise"),
    [("late", 0), ("late", "no"), ("state", 5), ("minutes", "0"), ("minutes", True), ("pieces", 0.5), ("late", 1.0)],
)
def test_otherwise_has_the_type_of_the_field(value: str, otherwise: Any) -> None:
    """A label without an outcome is joined into the column of the field; another type would stop the join."""
    with pytest.raises(DefinitionError, match=r"otherwise is .*; write "):
        labelled(value, otherwise=otherwise)


@pytest.mark.parametrize(
    ("objective", "otherwise"),
    [(Regression("poisson"), -1), (Ranking("depot"), -1), (Ranking("depot"), 32), (Regression(), float("nan"))],
)
def test_otherwise_is_a_label_that_can_be(objective: Objective, otherwise: float) -> None:
    """No count and no grade is negative, no grade is above 31, and no number is NaN."""
    with pytest.raises(DefinitionError, match="otherwise"):
        labelled("minutes", objective, float(otherwise))


def test_classes_of_any_text_have_columns() -> None:
    """Spaces, capitals and other letters become a column of their own; a class may be named as an input."""
    objective = labelled("state", otherwise="never seen").objective
    assert objective.outputs == ("score_on_time", "score_très_tard", "score_weight", "score_a_b", "score_never_seen")
    model = replace(late_parcel, gate=Gate(), label=labelled("state"))
    assert "weight" in model.columns.numeric
    assert "score_weight" in model.objective.outputs


@pytest.mark.parametrize("classes", [("A B", "a-b"), ("Late", "late"), ("a", "a"), ("!", "?")])
def test_two_classes_of_one_column_are_refused(classes: tuple[str, ...]) -> None:
    """Two classes that only case or signs tell apart would overwrite each other."""
    with pytest.raises(DefinitionError, match="would have the column"):
        Multiclass(classes)


def test_classes_are_texts() -> None:
    """One text is not its letters, and a number is no class."""
    for classes in ("late", (1, 2)):
        with pytest.raises(DefinitionError, match="write texts"):
            Multiclass(classes)  # type: ignore[arg-type]


def test_a_list_of_classes_is_the_same_label_as_a_tuple() -> None:
    """A label that was frozen and read again is the same, whatever it was written with."""
    written: Any = ["On Time", "très tard", "weight", "a b", "gone"]
    model = replace(late_parcel, gate=Gate(), label=labelled("state", Multiclass(written)))
    assert thaw_label(freeze(model)) == model.label
    assert hash(thaw_label(freeze(model))) == hash(model.label)


@pytest.mark.parametrize(
    ("objective", "labels", "said"),
    [
        (Regression("poisson"), [3, -1, -2], "2 labels are negative"),
        (Ranking("g"), [0, -1, 2], "1 labels are no grades"),
        (Ranking("g"), [0, 32, 2], "1 labels are no grades"),
        (Multiclass(("a", "b")), [0, 1, -1], "1 labels are none of the classes a, b"),
    ],
)
def test_labels_that_cannot_be_are_told(objective: Objective, labels: list[float], said: str) -> None:
    """A negative count, a grade that is none, and a text that is no class are counted in a sentence."""
    assert said in objective.impossible(np.array(labels, float))
    assert objective.impossible(np.maximum(np.minimum(labels, 1.0), 0.0)) == ""


@pytest.mark.parametrize("objective", [Regression(), Regression("poisson"), Ranking("g"), Binary()])
def test_equal_labels_lack_others(objective: Objective) -> None:
    """Labels that are all equal teach nothing, and the sentence says what there must be."""
    assert "rows of" in objective.lacking(np.zeros(100))
    assert objective.lacking(np.array([0.0, 1.0])) == ""


def test_a_model_whose_outputs_no_table_knows_is_refused() -> None:
    """The log and the labelled predictions know outputs by their names, so an objective with others is refused."""

    class Risk(Binary):
        @property
        def outputs(self) -> tuple[str, ...]:
            return ("risk",)

    with pytest.raises(DefinitionError, match="begin with score_"):
        replace(late_parcel, label=labelled("late", Risk()))
