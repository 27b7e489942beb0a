"""Proves what a training run warns of: a skill that is too good, and the one column that alone explains it."""

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from smallbox.arrays import Floats
from smallbox.define import Regression
from smallbox.objectives.binary import Binary
from smallbox.training.examples import Examples, examples_of
from smallbox.training.run_warnings import (
    empty_column_warnings,
    leakage_warnings,
    other_label_warnings,
    selection_warnings,
    single_column_skills,
    skill,
)
from tests.fakes.small import dataset, late_parcel

COLUMNS, BINARY = late_parcel.columns, Binary()


def rows_of(rows: pa.Table) -> Examples:
    """The labelled requests of a dataset."""
    return examples_of(COLUMNS, BINARY, rows)


def leaking(name: str, values: Any) -> tuple[Examples, Examples]:
    """Training and validation rows with a column replaced by a function of the label."""
    both = []
    for seed in (1, 2):
        rows = dataset(1_000, seed=seed)
        leaked = values(rows["label"].to_numpy(zero_copy_only=False))
        both.append(rows_of(rows.set_column(rows.column_names.index(name), name, pa.array(leaked))))
    return both[0], both[1]


def sure(rows: Examples, confidence: float) -> Floats:
    """Scores that give the outcome this probability."""
    return np.where(rows.labels > 0, confidence, 1 - confidence)[:, None]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("weight", lambda late: late.astype(np.float32)),
        ("weight", lambda late: -late.astype(np.float32)),
        ("weight", lambda late: np.where(late, np.float32(1), np.float32(np.nan))),
        ("depot", lambda late: np.where(late, "late", "")),
    ],
    ids=["up", "down", "missing", "text"],
)
def test_the_column_that_knows_the_outcome_is_named(name: str, values: Any) -> None:
    """A number in either direction, one that is missing for one class, or a text: it alone gives about 1."""
    train, judged = leaking(name, values)
    (sentence,) = leakage_warnings(BINARY, judged.scored(sure(judged, 1.0)), train, judged)
    assert f"a skill of 1.0000 is suspicious: {name!r} alone gives 0.999" in sentence


def test_a_column_that_knows_the_outcome_but_for_few_rows_is_named() -> None:
    """One row of 500 says the opposite: a bin of the others is not taken for certain, so the leak is not hidden."""

    def leaked(late: Any) -> Any:
        says = np.where(np.arange(len(late)) % 500 == 7, ~late, late)
        return (10 * says + np.random.default_rng(4).normal(size=len(late))).astype(np.float32)

    train, judged = leaking("weight", leaked)
    (sentence,) = leakage_warnings(BINARY, judged.scored(sure(judged, 0.99)), train, judged)
    assert "'weight' alone gives 0.9" in sentence
    assert "no column alone" not in sentence


def test_where_no_column_alone_explains_it_that_is_said() -> None:
    """The best one is named with its figure."""
    train, judged = rows_of(dataset(1_000, seed=1)), rows_of(dataset(1_000, seed=2))
    (sentence,) = leakage_warnings(BINARY, judged.scored(sure(judged, 0.999)), train, judged)
    assert "no column alone explains it, the best, " in sentence


@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.96])
def test_an_honest_skill_is_no_suspicion(confidence: float) -> None:
    """Nor a skill of about .94, of scores that give every outcome .96."""
    rows = rows_of(dataset(1_000, seed=1))
    assert leakage_warnings(BINARY, rows.scored(sure(rows, confidence)), rows, rows) == []


def test_a_skill_is_the_share_of_the_constants_loss_that_is_spared() -> None:
    """The constant of the training rows has none, worse outputs less than none, the truth 1."""
    train, judged = rows_of(dataset(1_000, seed=1)), rows_of(dataset(1_000, seed=2))
    constant = np.full((1_000, 1), train.labels.mean())
    assert skill(BINARY, judged.scored(constant), train) == 0
    assert skill(BINARY, judged.scored(sure(judged, 0.2)), train) < 0
    assert skill(BINARY, judged.scored(sure(judged, 1.0)), train) == 1


def test_a_number_is_leaked_as_a_class_is() -> None:
    """Of a regression the column that holds the label itself, up to rounding, is named too."""
    objective, both = Regression("squared"), []
    for seed in (1, 2):
        rows, label = dataset(1_000, seed=seed), np.random.default_rng(seed).normal(size=1_000)
        label = label.round(2)
        rows = rows.set_column(rows.column_names.index("label"), "label", pa.array(label))
        rows = rows.set_column(rows.column_names.index("weight"), "weight", pa.array(label.astype(np.float32)))
        both.append(examples_of(COLUMNS, objective, rows))
    train, judged = both
    (sentence,) = leakage_warnings(objective, judged.scored(judged.labels[:, None]), train, judged)
    assert "a skill of 1.0000 is suspicious: 'weight' alone gives 0.9" in sentence


def test_a_text_of_a_thousand_values_explains_nothing_by_chance() -> None:
    """A text counts by the training rows: a name for each row would else tell its own label."""
    train, judged = leaking("depot", lambda late: [f"d{n}" for n in np.random.default_rng(9).permutation(len(late))])
    assert single_column_skills(BINARY, train, judged)["depot"] < 0.1


def test_columns_that_were_never_there_are_named() -> None:
    """One sentence for all of them, and none without them."""
    assert "weight, depot_delay_3h" in empty_column_warnings(("weight", "depot_delay_3h"))[0]
    assert empty_column_warnings(()) == []


@pytest.mark.parametrize(
    ("share", "auc", "warns"), [(0.03, 0.75, True), (0.03, 0.55, False), (0.005, 0.9, False), (0.03, None, False)]
)
def test_a_few_unlabelled_requests_that_are_unlike_the_others_are_worth_a_sentence(
    share: float, auc: float | None, *, warns: bool
) -> None:
    """With the share and the figure; of many the gate speaks, of hardly any nobody."""
    low, high = (None, None) if auc is None else (auc - 0.0165, auc + 0.0165)
    labels: Any = {
        "unlabelled_share": share,
        "selection_auc": {"value": auc, "low": low, "high": high},
        "selection_failed": "",
    }
    said = selection_warnings(late_parcel, labels)
    assert bool(said) is warns
    assert not said or "3.0% of the requests have no label" in said[0]
    assert not selection_warnings(late_parcel, labels | {"unlabelled_share": 0.4})


def test_a_champion_of_another_label_is_named() -> None:
    """Only where it predicts another one: the same label, and no champion at all, warn of nothing."""
    other = replace(late_parcel.label, within="12h")
    assert other_label_warnings(late_parcel, (7, other)) == [
        "version 7, the champion, predicts another label, so it was not compared with"
    ]
    assert other_label_warnings(late_parcel, (7, late_parcel.label)) == other_label_warnings(late_parcel, None) == []
