"""Proves that exploration is declared where the answer is an action, and nowhere else."""

from dataclasses import replace
from typing import Any

import pytest

from smallbox.define import Exploration
from smallbox.errors import DefinitionError
from tests.fakes.kinds import OTHER_KINDS, of_a_ranking
from tests.fakes.small import late_parcel


@pytest.mark.parametrize("model", [late_parcel, *OTHER_KINDS[:-1]], ids=lambda one: one.objective.kind)
def test_a_model_whose_answer_is_a_score_may_not_explore(model: Any) -> None:
    """The error says why: a random score teaches nothing of what to do."""
    with pytest.raises(DefinitionError, match=r"only a ranking explores.*A score is no action"):
        replace(model, exploration=Exploration())


def test_a_ranking_may_explore_and_does_not_by_itself() -> None:
    """It is off by default."""
    assert of_a_ranking.exploration is None
    assert replace(of_a_ranking, exploration=Exploration(share=0.1)).exploration == Exploration(0.1, 10)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"share": 0}, "explores nothing"),
        ({"share": 1.5}, "between 0 and 1"),
        ({"within": 1}, "at least 2"),
        ({"share": "5%"}, "share is '5%'"),
    ],
)
def test_an_exploration_that_cannot_be_is_refused(arguments: Any, match: str) -> None:
    """Nothing to shuffle, no share, or no number."""
    with pytest.raises(DefinitionError, match=match):
        Exploration(**arguments)


def test_something_else_than_an_exploration_is_refused() -> None:
    """A share alone does not say within how many positions."""
    wrong: Any = 0.05
    with pytest.raises(DefinitionError, match=r"write Exploration\(share=0.05\)"):
        replace(of_a_ranking, exploration=wrong)
