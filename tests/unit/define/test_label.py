"""Proves what a label means by default, and that one that means nothing is refused in words where it is written."""

from collections.abc import Callable
from typing import Any

import pytest

from smallbox.define import (
    Binary,
    Columns,
    Gate,
    Model,
    Monitor,
    Multiclass,
    Ranking,
    Regression,
    Source,
    boolean,
    ceiling,
    floor,
    integer,
    label,
    number,
    text,
    timestamp,
)
from smallbox.errors import DefinitionError
from smallbox.objectives.objective import Objective

SOURCE = Source(
    "jobs",
    key="id",
    time="at",
    fields={
        "id": text(),
        "at": timestamp(),
        "done_at": timestamp(),
        "ok": boolean(),
        "hours": number(),
        "stars": integer(),
        "end": text(choices=("Done well", "failed")),
        "note": text(),
        "secret": number(pii=True),
        "queue": text(),
        "maybe": text(nullable=True),
    },
)


def _label(value: str, **more: Any) -> Any:
    return label(SOURCE, on="id", value=value, within="1d", **more)


def _estimator(columns: Columns, quantile: float | None = None) -> Any:
    """An import looks at the parameters of an estimator, and calls none."""


def _without_quantile(columns: Columns) -> Any:
    """As above."""


def _model(value: str = "ok", objective: Objective | None = None, **more: Any) -> Model:
    parts = {"estimator": _estimator, **more}
    return Model("m", request=SOURCE, inputs=("hours",), label=_label(value, objective=objective), **parts)


@pytest.mark.parametrize(
    ("value", "more", "objective", "outputs"),
    [
        ("ok", {}, Binary(), ("score",)),
        ("ok", {"otherwise": False}, Binary(), ("score",)),
        ("hours", {}, Regression("squared"), ("score",)),
        ("stars", {"otherwise": 0}, Regression("squared"), ("score",)),
        ("end", {}, Multiclass(("Done well", "failed")), ("score_done_well", "score_failed")),
        ("end", {"otherwise": "failed"}, Multiclass(("Done well", "failed")), ("score_done_well", "score_failed")),
        (
            "end", {"otherwise": "never"},
            Multiclass(("Done well", "failed", "never")), ("score_done_well", "score_failed", "score_never"),
        ),
        ("note", {"objective": Multiclass(("a", "b"))}, Multiclass(("a", "b")), ("score_a", "score_b")),
        ("ok", {"objective": Ranking("queue")}, Ranking("queue"), ("score",)),
    ],
)  # fmt: skip
def test_the_type_of_the_field_decides_unless_an_objective_is_written(
    value: str, more: dict[str, Any], objective: Objective, outputs: tuple[str, ...]
) -> None:
    """A boolean, a number, the choices of a text with what silence means; and classes that are written out."""
    found = _label(value, **more).objective
    assert (found, found.outputs) == (objective, outputs)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda: _label("done_at"), "'done_at' is a timestamp field of source jobs; a label is a boolean, a text with"),
        (lambda: _label("note"), "'note' of source jobs: a text label needs its classes, at least two; write text(cho"),
        (lambda: _label("note", otherwise="lost"), "needs its classes, at least two"),
        (lambda: _label("secret"), "label's field 'secret' may not be pii"),
        (lambda: _label("nothing"), "'nothing' is not a field of source jobs; it has id, at, done_at"),
        (lambda: label(SOURCE, on="hours", value="ok", within="1d"), "'hours' must be a text field of source jobs; it"),
        (lambda: _label("ok", objective=Regression()), "'ok' of source jobs is a boolean field; Regression predicts a"),
        (lambda: _label("hours", objective=Binary()), "is a number field; Binary predicts a boolean field"),
        (lambda: _label("end", objective=Ranking("queue")), "is a text field; Ranking predicts a number or integer or"),
        (lambda: _label("ok", objective="binary"), "label: objective is 'binary' (str)"),
        (lambda: _label("ok", otherwise="no"), "'ok' of source jobs: otherwise is 'no'; write True or False"),
        (lambda: _label("ok", otherwise=0), "'ok' of source jobs: otherwise is 0; write True or False"),
        (lambda: _label("hours", otherwise="never"), "'hours' of source jobs: otherwise is 'never'; write a number"),
        (lambda: _label("hours", otherwise=True), "'hours' of source jobs: otherwise is True; write a number"),
        (lambda: _label("end", otherwise=False), "'end' of source jobs: otherwise is False; write a text"),
        (lambda: _label("stars", otherwise=0.5), "'stars' of source jobs: otherwise is 0.5; write a whole number"),
        (lambda: _label("stars", objective=Ranking("queue"), otherwise=-1), "otherwise=-1 must be a grade, 0 to 31"),
        (lambda: _label("stars", objective=Ranking("queue"), otherwise="none"), "otherwise is 'none'; write a"),
        (lambda: _label("end", objective=Multiclass(("Done well", "lost"))), "lacks failed; add it"),
        (lambda: _label("end", otherwise="DONE WELL"), "two classes would have the column 'score_done_well'; rename"),
    ],
)  # fmt: skip
def test_a_label_that_means_nothing_is_refused(wrong: Callable[[], object], says: str) -> None:
    """The sentence names the field and its source, and says what to write."""
    with pytest.raises(DefinitionError) as refused:
        wrong()
    assert says in refused.value.message


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (
            lambda: _model(gate=Gate(guardrails=(floor("acu", 0.7),))),
            "model m: Gate: floor('acu', ...): the label's objective has no such figure; it has auc, calibration_error",
        ),
        (
            lambda: _model("hours", monitor=Monitor(guardrails=(ceiling("mae", 9), ceiling("auc", 0.7)))),
            "model m: Monitor: ceiling('auc', ...): the label's objective has no such figure; it has mae, rmse, bias",
        ),
        (
            lambda: _model("hours", Regression(quantiles=(0.1,)), gate=Gate(guardrails=(ceiling("below_q90", 0.3),))),
            "it has mae, rmse, bias, below_q10, pinball_q10",
        ),
        (lambda: _model(gate=Gate(guardrails=("auc",))), "Gate: guardrails"),  # type: ignore[arg-type]  # the mistake
        (lambda: _model(gate=Gate(guardrails=floor("auc", 0.7))), "Gate: guardrails"),  # type: ignore[arg-type]  # the mistake
    ],
)
def test_a_guardrail_of_no_figure_is_refused(wrong: Callable[[], object], says: str) -> None:
    """When the model is imported, with the figures that there are: not by a gate that never saw it."""
    with pytest.raises(DefinitionError) as refused:
        wrong()
    assert says in refused.value.message


def test_every_figure_may_be_a_guardrail() -> None:
    """Of every objective, on either side."""
    for value, objective in (
        ("ok", None),
        ("end", None),
        ("hours", Regression("absolute", quantiles=(0.025, 0.5))),
        ("stars", Ranking("queue")),
    ):
        figures = _label(value, objective=objective).objective.figures
        rails = tuple(side(figure, 0.5) for side in (floor, ceiling) for figure in figures)
        assert len(figures) > 1
        _model(value, objective, gate=Gate(guardrails=rails), monitor=Monitor(guardrails=rails))


def test_quantiles_need_an_estimator_that_takes_them() -> None:
    """The sentence is the line to write; without quantiles the parameter may be left out."""
    with pytest.raises(DefinitionError) as refused:
        _model("hours", Regression(quantiles=(0.5,)), estimator=_without_quantile)
    assert "write def _without_quantile(columns, quantile=None)" in refused.value.message
    _model("hours", Regression("absolute"), estimator=_without_quantile)


@pytest.mark.parametrize("group", ["hours", "maybe", "done_at"])
def test_a_group_that_cannot_be_one_is_refused(group: str) -> None:
    """It is a text of every request: no number or moment, and no text that may be null."""
    with pytest.raises(DefinitionError, match=f"the group '{group}' must be a text field of source jobs"):
        _model("stars", Ranking(group))


@pytest.mark.parametrize(
    ("value", "objective", "fallback", "says"),
    [
        ("ok", None, 1.5, "model m: fallback is 1.5; write a probability, from 0 to 1"),
        ("ok", None, "0.3", "fallback is '0.3'; write a number"),
        ("ok", None, True, "fallback is True; write a number"),
        ("ok", None, float("nan"), "fallback is nan; write a number"),
        ("ok", None, {"score": 0.3}, "fallback is {'score': 0.3}; write a number"),
        ("end", None, 0.5, "fallback is 0.5; write a number for each of Done well, failed"),
        ("end", None, {"Done well": 1.0}, "write a number for each of Done well, failed"),
        ("end", None, {"Done well": 0.9, "failed": 0.2}, "fallback: the probabilities add up to 1.1; write ones that"),
        ("end", None, {"Done well": 1.2, "failed": -0.2}, "fallback: "),
        ("hours", Regression("poisson"), -1, "fallback is -1; the mean of a count is not negative"),
        ("hours", Regression(quantiles=(0.5,)), 3, "fallback is 3; write a number for each of score, score_q50"),
        (
            "hours", Regression("quantile", (0.1, 0.9)), {"score_q10": 3, "score_q90": 1},
            "fallback: the quantiles must ascend",
        ),
        ("stars", Ranking("queue"), None, ""),
    ],
)  # fmt: skip
def test_a_fallback_is_a_valid_prediction(value: str, objective: Any, fallback: Any, says: str) -> None:
    """What no version could answer is refused when the model is imported, with what to write."""
    if not says:
        assert _model(value, objective, fallback=fallback).fallback_outputs is None
        return
    with pytest.raises(DefinitionError) as refused:
        _model(value, objective, fallback=fallback)
    assert says in refused.value.message


@pytest.mark.parametrize(
    ("prediction", "why"),
    [
        ("nowhere", "'nowhere' is not a field of source jobs"),
        ("hours", "prediction='hours' must be a text field of source jobs; it is a number"),
        ("id", "prediction='id' is the field on='id'; on= holds the request's key"),
    ],
)
def test_the_field_of_the_predictions_id_is_another_text_of_the_source(prediction: str, why: str) -> None:
    """Each mistake is refused where it is written."""
    with pytest.raises(DefinitionError, match=why):
        label(SOURCE, on="id", value="ok", within="1d", prediction=prediction)
