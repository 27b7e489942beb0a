"""Proves on the deployed stack that a canary which harms is rolled back by its alarm, while requests come in."""

import time
from typing import Final

import pytest

from smallbox.aws.metrics import NAMESPACE
from smallbox.cli.system import System
from smallbox.define.project import load
from smallbox.errors import InvalidInput
from smallbox.registry.routing import Routing, start_canary
from smallbox.release.canary_marks import CHALLENGER_TROUBLE
from smallbox.times import DAY
from tests.deployed.conftest import START, Deployed
from tests.deployed.registered import register, registry_of
from tests.deployed.ringing import wait_until
from tests.fakes.serving import sum_of_numbers

pytestmark = pytest.mark.deployed

MODEL: Final = "arrival_outcome"
"""Another model than that of the other stories; its views are the same, and so they are filled."""
SECONDS: Final = 300


class Canary:
    """A champion that answers, and for half of the keys a challenger whose model file is no model."""

    def __init__(self, deployed: Deployed) -> None:
        self.system = deployed.system
        self.lines = iter(deployed.flights.between(START, START + 7 * DAY))
        self.registry, model = registry_of(self.system), load().model(MODEL)
        champion = register(self.system, model, sum_of_numbers(model.columns, len(model.objective.outputs)))
        challenger, now = register(self.system, model, b"not a model"), time.time_ns() // 1_000
        before = self.registry.routing(MODEL)
        alone = Routing(champion, since=now, revision=0 if before is None else before.revision)
        self.registry.route(MODEL, start_canary(alone, challenger, 0.5, now))

    def ask(self, requests: int) -> int:
        """Ask for flights, one by one; how many ended in an error."""
        failed = 0
        for _ in range(requests):
            try:
                self.system.predict(MODEL, [next(self.lines)])
            except InvalidInput:
                failed += 1
        return failed

    @property
    def is_rolled_back(self) -> bool:
        """Whether the champion answers everything again."""
        routing = self.registry.routing(MODEL)
        return routing is not None and routing.versions == (routing.champion,)


def _calm(system: System) -> bool:
    """Whether the alarm is silent again; the emulator judges an alarm only when a figure comes in."""
    figure = {"MetricName": CHALLENGER_TROUBLE, "Value": 0.0}
    system.client("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=[figure])
    (state,) = [state for name, state in system.alarms().items() if "ChallengerTrouble" in name]
    return state != "ALARM"


def test_a_challenger_that_fails_is_rolled_back_by_its_alarm(deployed: Deployed) -> None:
    """Half of the requests end in an error; within minutes the alarm's function routes all of them to the champion.

    The schedule that looks again is off here, so the alarm is let calm down and ring once more.
    """
    canary, began = Canary(deployed), time.monotonic()
    failed = canary.ask(60)
    assert 10 < failed < 50

    def has_rung_enough() -> bool:
        if not canary.is_rolled_back and _calm(deployed.system):
            canary.ask(10)
        return canary.is_rolled_back

    wait_until(has_rung_enough, SECONDS)
    print(f"rolled back after {time.monotonic() - began:.0f} s")  # noqa: T201 - a measurement
    (line,) = [one for one in canary.registry.history(MODEL) if one["event"] == "roll_back"]
    assert line["who"] == "guard"
    assert line["why"].startswith("requests that end in an error")
    assert [one["figure"] for one in line["evidence"]["limits"] if one["is_harm"]] == ["failed"]
    time.sleep(2)  # a routing is remembered for a second
    assert canary.ask(20) == 0
