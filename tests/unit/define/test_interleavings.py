"""Proves that an interleaving is refused where it is written when it could not be run."""

from dataclasses import replace
from typing import Any

import pytest

from smallbox.define import Interleaving, Release
from smallbox.errors import DefinitionError
from tests.fakes.kinds import of_a_ranking
from tests.fakes.small import late_parcel


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"merge": "shuffled"}, "merge='shuffled' must be one of team_draft, balanced"),
        ({"pairs": "balanced"}, "pairs='balanced' must be one of all, competitive"),
        ({"merge": "balanced", "pairs": "competitive"}, "a balanced list has no rounds"),
        ({"min_days": 0}, "must be at least 1"),
        ({"min_days": 29}, "at most max_days=28"),
        ({"confidence": 1.0}, "must lie between 0.5 and 1"),
        ({"unit": 3}, "unit is 3"),
    ],
)
def test_rules_that_contradict_themselves_are_refused(settings: dict[str, Any], why: str) -> None:
    """The sentence names the argument and what it must be."""
    with pytest.raises(DefinitionError, match=why):
        Interleaving(**settings)


def test_only_a_ranking_declares_an_interleaving() -> None:
    """Two scores cannot be interleaved."""
    declared = Release(experiment=Interleaving())
    assert replace(of_a_ranking, release=declared).release == declared
    with pytest.raises(DefinitionError, match="only ordered lists can be interleaved"):
        replace(late_parcel, release=declared)
