"""Proves that dead letters are counted by the queue in which they failed."""

from types import SimpleNamespace
from typing import Any

from smallbox.cli.system import System


class _Queues:
    def get_queue_attributes(self, QueueUrl: str, AttributeNames: list[str]) -> dict[str, Any]:  # noqa: N803 - as boto3
        waiting = {"events-dead": "2", "drops-dead": "0", "events": "7"}[QueueUrl]
        return {"Attributes": dict.fromkeys(AttributeNames, "0") | {AttributeNames[0]: waiting}}


def test_dead_letters_are_counted_by_queue() -> None:
    """Only dead-letter queues count, under the name of the queue that they belong to."""
    outputs = {"EventsQueue": "events", "EventsDeadQueue": "events-dead", "DropsDeadQueue": "drops-dead"}
    stack: Any = SimpleNamespace(outputs=outputs, client=lambda _: _Queues())
    assert System(stack).dead_letters_by_queue() == {"events": 2, "drops": 0}
    assert System(stack).dead_letters() == 2
