"""The pages and the picture name the tasks of the state machines in the order in which they run."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from infra.deployment import ROOT
from tests.infra.templates import Assembly

CHAIN = re.compile(r"\b[a-z]+(?:\s+->\s+[a-z]+){3,}\b")
PAGES = {
    "docs/stages/training.md": "training",
    "docs/stages/retraining.md": "daily",
    "docs/decisions/0007-one-daily-machine.md": "daily",
}


def _tasks(definition: Mapping[str, Any]) -> Iterator[str]:
    """The jobs of a state machine's tasks as they run when nothing fails and a candidate is accepted."""
    state = definition["StartAt"]
    while state:
        found = definition["States"][state]
        if found["Type"] == "Task":
            yield state.lower()
        state = found["Choices"][0]["Next"] if found["Type"] == "Choice" else found.get("Next")


@pytest.fixture(scope="module")
def orders(aws: Assembly) -> dict[str, list[str]]:
    """The order of each machine, by the name that the pages give it."""
    found = [list(_tasks(definition)) for definition in aws.machines()]
    (training,) = [order for order in found if "fit" in order]
    (daily,) = [order for order in found if "join" in order]
    return {"training": training, "daily": daily}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_the_order_of_the_code(orders: dict[str, list[str]], page: str) -> None:
    """The page has a chain of tasks, ``a -> b -> c -> d``, and it is the machine's."""
    chains = [re.split(r"\s+->\s+", chain) for chain in CHAIN.findall((ROOT / page).read_text())]
    assert chains
    assert all(chain == orders[PAGES[page]] for chain in chains)


def test_the_picture_has_the_order_of_the_code(orders: dict[str, list[str]]) -> None:
    """Read from left to right, the picture of the loop has the daily machine's tasks, then those of training."""
    expected = [*orders["daily"], *orders["training"]]
    texts = re.findall(r">([a-z]+)</text>", (ROOT / "docs/pictures/loop.svg").read_text())
    assert [text for text in texts if text in expected] == expected
