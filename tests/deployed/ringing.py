"""Rings the alarm of a model's incidents on the deployed stack, and waits for what follows."""

import time
from collections.abc import Callable
from typing import Any

from smallbox.cli.demo import MODEL
from smallbox.cli.system import System, incidents_output
from smallbox.monitoring.incidents import OPEN_INCIDENTS


def ring(system: System) -> None:
    """Let the alarm of incidents calm down, then ring it."""
    name, meter = system.outputs[incidents_output(MODEL)], system.client("cloudwatch")
    figure = {"MetricName": OPEN_INCIDENTS, "Dimensions": [{"Name": "model", "Value": MODEL}]}

    def is_calm() -> bool:
        meter.put_metric_data(Namespace="Smallbox", MetricData=[{**figure, "Value": 0.0}])
        return system.alarms()[name] != "ALARM"

    wait_until(is_calm)
    meter.put_metric_data(Namespace="Smallbox", MetricData=[{**figure, "Value": 1.0}])


def asked_by_an_alarm(system: System) -> list[Any]:
    """The decisions that an alarm asked for, from the model's history."""
    history = system.request("GET", f"/models/{MODEL}/history")["history"]
    return [event for event in history if event["event"] == "alarm"]


def wait_until(is_so: Callable[[], bool], seconds: float = 90) -> None:
    """Ask twice a second; fails when it does not become so in time."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.5)
