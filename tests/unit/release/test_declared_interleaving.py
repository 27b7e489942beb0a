"""Proves that an interleaving is started as it is declared, and counts competitive pairs alone where that is chosen."""

from dataclasses import asdict, replace
from typing import Any

import pytest

from smallbox.define import Interleaving, Release
from smallbox.errors import InvalidInput
from smallbox.release.experiment_request import kind_asked
from smallbox.release.interleaving_record import InterleavingRecord
from tests.fakes.rankers import RANKED, two_rankers
from tests.unit.release.interleavings import NAME, ask, looked, show_lists

DECLARED = Interleaving(unit="depot", pairs="competitive", min_days=1, max_days=14, confidence=0.9)
DECLARING = replace(RANKED, release=Release(experiment=DECLARED))


def _rules(**asked: Any) -> dict[str, Any]:
    serving = two_rankers(DECLARING)
    started = ask(serving, "start", versions=[1, 2], why="newer", **asked)
    assert started["kind"] == "interleaving"
    found: dict[str, Any] = started["rules"]
    return found


def test_the_versions_alone_start_what_is_declared() -> None:
    """Its unit and its rules; an option of the command replaces the declared one."""
    assert _rules() == asdict(DECLARED)
    assert _rules(pairs="all", max_days=20) == asdict(replace(DECLARED, pairs="all", max_days=20))


def test_another_kind_takes_nothing_of_it() -> None:
    """An outcome is of an A/B test, and an A/B test without one is refused."""
    assert kind_asked(DECLARING, {"outcome": "outcomes.delay"}) == "ab"
    with pytest.raises(InvalidInput, match="name what is measured with --outcome"):
        ask(two_rankers(DECLARING), "start", versions=[1, 2], why="newer", kind="ab")


@pytest.mark.parametrize(("pairs", "verdict"), [("all", "better"), ("competitive", "wait")])
def test_competitive_pairs_count_only_where_the_versions_differ(pairs: str, verdict: str) -> None:
    """In these lists both versions rank each row alike: the coin alone decided who has the credit."""
    serving = two_rankers(DECLARING)
    ask(serving, "start", versions=[1, 2], why="newer", name="trial", pairs=pairs)
    show_lists(serving, 1, 60, 0, is_agreed=True)
    assert looked(serving, 3)["verdict"] == verdict


def test_a_record_from_before_there_were_pairs_is_read() -> None:
    """It counts all rounds, and is made as its routing says."""
    serving = two_rankers(DECLARING)
    ask(serving, "start", versions=[1, 2], why="newer", name="trial", merge="balanced", pairs="all")
    document = serving.registry.experiment(NAME, "trial")
    assert document is not None
    before = {**document, "rules": {name: document["rules"][name] for name in ("min_days", "max_days", "confidence")}}
    rules = InterleavingRecord.from_json(before).rules
    assert (rules.pairs, rules.merge, rules.max_days) == ("all", "balanced", 14)
