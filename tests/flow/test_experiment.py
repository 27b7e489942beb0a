"""Experiments from the plan to the verdict, over the whole stack in one process."""

from typing import Any, Final

import pytest

from smallbox.documents.daily_run import ExperimentStep
from smallbox.errors import Conflict, InvalidInput, NotReady
from smallbox.lake.names import exposures_table
from tests.flow.offers import Shop

MEASURED: Final[dict[str, Any]] = {
    "versions": [1, 2],
    "outcome": "orders.amount",
    "unit": "customer",
    "covariate": "spent_before",
    "within": "1d",
    "smallest_effect": 0.02,
    "guardrails": ["orders.returns,lower,0.2"],
}


def started(shop: Shop, **settings: Any) -> Shop:
    """A shop with ten days of traffic in which the experiment was started."""
    for _ in range(10):
        assert shop.day()["verdict"] == "none"
    shop.ask("start", **{**MEASURED, "why": "offers of 2 are higher", **settings})
    return shop


def test_the_better_version_wins_on_an_outcome_that_is_no_label() -> None:
    """Its answers earn 8 % more: the verdict is "better" after the minimum runtime; who saw what is kept."""
    shop = started(Shop(generous=0.7), name="offers")
    plan = shop.ask("show")["plan"]
    assert plan["outcomes"][0]["explained"] > 0.8, "what was spent before explains the orders"
    assert plan["units"] > plan["units_at_once"]
    steps = [shop.day() for _ in range(9)]
    assert [step["verdict"] for step in steps[:6]] == ["wait"] * 6
    assert steps[-1]["verdict"] == "better", steps[-1]["why"]
    assert "version 2 is better than version 1 on orders.amount" in steps[-1]["why"]
    shown = shop.ask("show")
    effect = shown["result"]["effects"][0]
    assert effect["low"] < 0.7 < effect["high"]
    assert effect["variance_kept"] < 0.3
    exposed = shop.world.lake.read(exposures_table("offer"))
    assert exposed is not None
    assert exposed.num_rows == len(set(exposed["unit"].to_pylist())) == 9 * 200
    stopped = shop.ask("stop", why="2 is better")
    assert stopped["state"] == "stopped"
    assert shop.world.registry.routing("offer").experiment is None  # type: ignore[union-attr]
    told = [event for event in shop.world.registry.history("offer") if event["event"].startswith("experiment")]
    assert [(event["event"], event["who"], event["why"]) for event in told] == [
        ("experiment_started", "ada", "offers of 2 are higher"),
        ("experiment_stopped", "ada", "2 is better"),
    ]


def test_equal_versions_do_not_differ_by_more_than_what_is_of_interest() -> None:
    """Two versions with the same answers end with "no difference", and the units that it took are near the plan's."""
    shop = started(Shop())
    steps = [shop.day() for _ in range(12)]
    assert steps[-1]["verdict"] == "no_difference", steps[-1]["why"]
    assert "do not differ by more than 2.0%" in steps[-1]["why"]


def test_lost_outcomes_stop_the_experiment() -> None:
    """A third of the orders of version 2 are lost: the sample ratio of the measured units says so, and it stops."""
    shop = started(Shop(generous=0.7, forgets=0.35), only_measured=True)
    steps: list[ExperimentStep] = []
    while not steps or steps[-1]["verdict"] != "none":
        steps.append(shop.day())
        assert len(steps) < 12
    assert steps[-2]["verdict"] == "sample_ratio"
    assert "the units measured are" in steps[-2]["why"]
    shown = shop.ask("show")
    assert (shown["state"], shown["stopped"]["who"]) == ("stopped", "smallbox")
    assert shown["result"]["sample_ratio"]["assigned"] > 0.01, "the assignment itself was right"


def test_a_broken_guardrail_stops_the_experiment() -> None:
    """Returns rise with the orders, by more than the 2 % that are acceptable."""
    shop = started(Shop(generous=0.7), guardrails=["orders.returns,lower,0.02"])
    steps = [shop.day() for _ in range(9)]
    (ended,) = [step for step in steps if step.get("stopped")]
    assert ended["verdict"] == "guardrail"
    assert "by more than 2.0% on the guardrail orders.returns" in ended["why"]


def test_what_cannot_work_is_refused_with_the_reason() -> None:
    """No plan without traffic or beyond the longest duration; no second experiment; no change without a reason."""
    shop = Shop()
    with pytest.raises(NotReady, match="a plan needs 100"):
        shop.ask("plan", **MEASURED)
    started(shop)
    with pytest.raises(NotReady, match="days at today's traffic, where max_days=90"):
        shop.ask("plan", **{**MEASURED, "smallest_effect": 0.0001})
    with pytest.raises(InvalidInput, match="must be a text or a whole number"):
        shop.ask("plan", **{**MEASURED, "unit": "visited_at", "on_unit": "customer"})
    with pytest.raises(Conflict, match="runs; stop it before"):
        shop.ask("start", **{**MEASURED, "why": "again", "name": "other"})
    with pytest.raises(InvalidInput, match="say who"):
        shop.ask("stop")
