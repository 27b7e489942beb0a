"""How far a system is behind: the messages that wait in each queue, and the age of the oldest."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from smallbox.cli.system import ALL_QUEUES, System

_AGE: Final = "ApproximateAgeOfOldestMessage"
_SINCE: Final = timedelta(minutes=15)
"""SQS publishes a figure each minute, some minutes late; a queue that nobody used for six hours has none."""


def queue_figures(system: System) -> dict[str, dict[str, Any]]:
    """By queue, like ``features``: how many messages wait, and the age of the oldest in seconds.

    The age is the newest that CloudWatch has, a few minutes old; ``None`` where it has none, as on this machine.
    """
    ages = _ages(system, datetime.now(UTC))
    return {
        name: {"waiting": system.waiting(output), "oldest_seconds": ages.get(name)}
        for name, output in ((output.removesuffix("Queue").lower(), output) for output in ALL_QUEUES)
    }


def _ages(system: System, now: datetime) -> Mapping[str, float]:
    answer = system.client("cloudwatch").get_metric_data(
        MetricDataQueries=[_asked(output, system.outputs[output]) for output in ALL_QUEUES],
        StartTime=now - _SINCE,
        EndTime=now,
        ScanBy="TimestampDescending",
    )
    newest = {one["Id"]: one["Values"][0] for one in answer["MetricDataResults"] if one["Values"]}
    return {name.removesuffix("queue"): age for name, age in newest.items()}


def _asked(output: str, url: str) -> dict[str, Any]:
    queue = [{"Name": "QueueName", "Value": url.rpartition("/")[2]}]
    metric = {"Namespace": "AWS/SQS", "MetricName": _AGE, "Dimensions": queue}
    return {"Id": output.lower(), "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Maximum"}}
