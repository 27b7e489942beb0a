"""Proves that the demo does not say that three models went round the loop when one did not, and shows each as it is."""

from typing import Any

import pytest

from smallbox.cli.demo.three_objectives import ModelRound, rounds_table, rounds_verdict

TRAINING = {
    "accepted": True,
    "counts": {"fitted": 800, "calibrated": 200},
    "metrics": {"loss": {"value": 0.45678}, "figures": {"auc": {"value": 0.71234}, "lift": {"value": None}}},
    "baseline": {"loss": 0.5},
    "verdict": {"why": "the loss is not below the baseline's"},
}
ANSWER = {"id": "a", "version": 1, "arm": "champion", "score": {"late": 0.81234, "on_time": 0.18766}, "class": "late"}


def _round(**changes: Any) -> ModelRound:
    """A model that went round, but for the changes."""
    return ModelRound(
        **{"training": TRAINING, "answers": [ANSWER], "tensors": [{}], "scored": 9, "labels": 7, **changes}
    )


def test_three_models_went_round() -> None:
    """The example from which the others differ in one thing."""
    assert rounds_verdict({"a": _round(), "b": _round()}).worked


@pytest.mark.parametrize(
    "change",
    [
        {"training": {**TRAINING, "accepted": False}},
        {"training": {}},
        {"answers": []},
        {"answers": [ANSWER, {**ANSWER, "version": 0}]},
        {"tensors": []},
        {"scored": 0},
        {"labels": 0},
    ],
)
def test_a_model_that_did_not_go_round_tells(change: dict[str, Any]) -> None:
    """A refusal, no answer or the fallback's, no tensor, no scored row, no label: one in one model is enough."""
    assert not rounds_verdict({"a": _round(), "b": _round(**change)}).worked


def test_a_refused_model_tells_why() -> None:
    """The gate's reason is part of the sentence."""
    verdict = rounds_verdict({"a": _round(training={**TRAINING, "accepted": False})})
    assert verdict.evidence.endswith("a was not accepted: the loss is not below the baseline's")


def test_the_table_shows_each_model_that_was_trained() -> None:
    """Rows trained, loss beside the baseline, figures, an answer in its own form, scored rows and labels."""
    row = ["a", "1,000", "0.4568", "0.5", "auc 0.712, lift -"]
    row += ['{"score": {"late": 0.812, "on_time": 0.188}, "class": "late"}', "9", "7"]
    assert rounds_table({"a": _round(), "b": _round(training={})}) == [row]
