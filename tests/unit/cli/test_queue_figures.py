"""Proves that a queue that is behind is seen: how much waits, and how long."""

from types import SimpleNamespace
from typing import Any

from smallbox.cli.queue_figures import queue_figures
from smallbox.cli.status import status_blocks
from smallbox.cli.system import ALL_QUEUES, System
from tests.unit.cli.samples import STATUS


class _Aws:
    """SQS and CloudWatch, where the stream is behind; the queue of scores has no figure yet."""

    def get_queue_attributes(self, QueueUrl: str, AttributeNames: list[str]) -> dict[str, Any]:  # noqa: N803 - as boto3
        waiting = "7" if QueueUrl.endswith("/FeaturesQueue-1") else "0"
        return {"Attributes": dict.fromkeys(AttributeNames, "0") | {AttributeNames[0]: waiting}}

    def get_metric_data(self, **asked: Any) -> dict[str, Any]:
        assert asked["ScanBy"] == "TimestampDescending"
        return {"MetricDataResults": [self._answer(**query) for query in asked["MetricDataQueries"]]}

    def _answer(self, Id: str, MetricStat: Any) -> dict[str, Any]:  # noqa: N803 - as boto3
        (queue,) = MetricStat["Metric"]["Dimensions"]
        ages = {"FeaturesQueue-1": [90.0, 30.0], "ScoresQueue-1": []}
        return {"Id": Id, "Values": ages.get(queue["Value"], [0.0])}


def test_the_newest_age_of_the_oldest_message_is_told_by_queue() -> None:
    """The figure is CloudWatch's newest for the queue of that name; none is not zero."""
    outputs = {name: f"https://sqs/1/{name}-1" for name in ALL_QUEUES}
    stack: Any = SimpleNamespace(outputs=outputs, client=lambda _: _Aws())
    found = queue_figures(System(stack))
    assert list(found) == ["drops", "events", "features", "rebuild", "scores", "predictions"]
    assert found["features"] == {"waiting": 7, "oldest_seconds": 90.0}
    assert found["scores"] == {"waiting": 0, "oldest_seconds": None}
    assert found["events"] == {"waiting": 0, "oldest_seconds": 0.0}


def test_the_status_lists_the_queues_in_which_something_waits() -> None:
    """Idle queues are left out; a queue whose messages are counted but have no age yet is not."""
    queues = {
        "events": {"waiting": 0, "oldest_seconds": 0.0},
        "features": {"waiting": 7, "oldest_seconds": 90.0},
        "rebuild": {"waiting": 1, "oldest_seconds": None},
    }
    tables = [block for block in status_blocks({**STATUS, "queues": queues}) if not isinstance(block, str)]
    assert [list(row) for row in tables[-1].rows] == [["features", 7, 90.0], ["rebuild", 1, None]]
