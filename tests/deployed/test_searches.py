"""Proves on a deployed stack that clicks on ordered lists decide between two versions.

The versions wish for opposite orders. They are interleaved, once beside a bad champion and once beside a good one, and
judged off-policy. The tests are one story and run in their order, on the stack that the replay kept, or a new one.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from smallbox.cli import local
from smallbox.cli.system import ALL_QUEUES, System
from smallbox.registry.routing import first_champion
from smallbox.times import DAY, HOUR, Micros, format_moment, parse_day
from tests.deployed.commands import smallbox
from tests.deployed.registered import register, registry_of
from tests.deployed.searches import search_rank
from tests.fakes.rankers import opposite_of_numbers
from tests.fakes.serving import sum_of_numbers

pytestmark = pytest.mark.deployed

MODEL: Final = search_rank.name
BEGIN: Final[Micros] = parse_day("2024-05-01")
BAD, GOOD = 1, 2
FOUND: Final = (0.02, 0.05, 0.1, 1.0)
"""The relevance of what every search finds: the chance of a click where it stands first."""


class Shop:
    """Visitors search twice each, and click on what is relevant, and less the lower it stands."""

    def __init__(self, owner: System, operator: System) -> None:
        self.system, self.now, self.searches = operator, BEGIN, 0
        self.random = np.random.default_rng(3)
        relevance = np.array(FOUND * 50)
        bad, good = opposite_of_numbers(search_rank), sum_of_numbers(search_rank.columns)
        for number, content, score in ((BAD, bad, -relevance), (GOOD, good, relevance)):
            assert register(owner, search_rank, content, {"relevance": relevance, "score": score}) == number
        registry_of(owner).route(MODEL, first_champion(BAD, BEGIN))

    def rank(self) -> Any:
        """One search, an hour after the day began."""
        search, self.searches = self.searches, self.searches + 1
        at = format_moment(self.now + HOUR)
        rows = [
            {"found_id": f"{search}-{n}", "found_at": at, "search_id": f"s{search}", "visitor": f"v{search // 2}"}
            | {"relevance": relevance}
            for n, relevance in enumerate(FOUND)
        ]
        return self.system.request("POST", f"/models/{MODEL}/rank", json.dumps({"instances": rows}), at)

    def day(self, searches: int) -> Any:
        """Searches, their clicks half an hour later, and the daily machine; its document."""
        shown = [one for _ in range(searches) for one in self.rank()["ranking"]]
        chances = [FOUND[int(one["id"].rpartition("-")[2])] / one["position"] for one in shown]
        clicked = [one["id"] for one, chance in zip(shown, chances, strict=True) if self.random.random() < chance]
        at = format_moment(self.now + HOUR * 3 // 2)
        clicks = [json.dumps({"found_id": one, "clicked_at": at, "grade": 1}) for one in clicked]
        assert self.system.send("clicks", clicks, at)["rejected"] == []
        self.system.drain(ALL_QUEUES)
        self.now += DAY
        return self.say("day")

    def say(self, command: str, options: str = "") -> Any:
        """A command of an operator as of now; its document."""
        said = smallbox("local", f"{command} {MODEL} {options} --as-of {format_moment(self.now)}")
        assert said.code == 0, said.document
        return said.document

    def interleave(self, versions: str, weight: float) -> Any:
        """Begin an interleaving; the second version is judged against the first."""
        return self.say(
            "experiment start",
            f"--kind interleaving --versions {versions} --weights {weight},{weight} --unit visitor --min-days 1 "
            "--why 'clicks decide'",
        )


@pytest.fixture(scope="module")
def shop(other_stack: Path) -> Iterator[Shop]:
    """The stack with the definition of searches, and two versions of its model."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(other_stack)
        running = local.running_emulator()
        yield Shop(System(running.as_root()), System(running.as_operator()))


def test_a_search_is_answered_in_order(shop: Shop) -> None:
    """The champion ranks the irrelevant first, and chance orders each block of two."""
    answer = shop.rank()
    found = [int(one["id"].rpartition("-")[2]) for one in answer["ranking"]]
    assert (answer["candidates"], [one["position"] for one in answer["ranking"]]) == (4, [1, 2, 3, 4])
    assert ({*found[:2]}, {*found[2:]}) == ({0, 1}, {2, 3})
    assert {one["version"] for one in answer["ranking"]} == {BAD}


def test_a_good_candidate_is_preferred_to_a_bad_champion(shop: Shop) -> None:
    """The daily machine joins the clicks, gives the verdict and stops the experiment; the champion answers alone."""
    assert shop.interleave(f"{BAD},{GOOD}", 0.4)["state"] == "running"
    step = shop.day(119)["experiment"]
    assert (step["verdict"], step["stopped"]) == ("better", True), step["why"]
    assert "version 2 is preferred to version 1" in step["why"]
    assert "units (visitor) with a preference" in step["why"]
    assert {one["arm"] for one in shop.rank()["ranking"]} == {"champion"}


def test_few_shuffled_lists_refuse_to_judge(shop: Shop) -> None:
    """A fifth of the visitors saw the champion's own lists: the sentence says how many these are worth, no number."""
    judged = shop.say("release off-policy", str(GOOD))
    assert (judged["verdict"], judged["gains"]) == ("cannot_tell", {})
    assert 0 < judged["effective"] < judged["lists"] < 60
    assert "100 are needed" in judged["sentence"]


def test_a_bad_candidate_is_not_preferred_to_a_good_champion(shop: Shop) -> None:
    """Promoted by hand, the good version is the champion; the bad one is told apart on a share of the visitors."""
    shop.say("release promote", f"{GOOD} --why 'people prefer it'")
    shop.interleave(f"{GOOD},{BAD}", 0.2)
    step = shop.day(300)["experiment"]
    assert (step["verdict"], step["stopped"]) == ("worse", True), step["why"]
    assert "version 2 is preferred to version 1" in step["why"]
    shown = shop.say("experiment show")
    assert (shown["state"], [day["verdict"] for day in shown["days"]]) == ("stopped", ["worse"])


def test_shuffled_lists_judge_a_version_that_ordered_none(shop: Shop) -> None:
    """Of the other visitors' lists the worse order within each block would have earned less."""
    judged = shop.say("release off-policy", str(BAD))
    assert (judged["verdict"], judged["refused"]) == ("worse", []), judged["sentence"]
    assert judged["gains"]["dr"]["gain"]["high"] < 0
    assert shop.system.dead_letters() == 0
