"""Proves that every queue keeps each message whole, a delayed one too, and says when it did not take one."""

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from smallbox.aws.queue import SqsQueue
from smallbox.aws.signed.sqs import SignedSqs
from smallbox.errors import Unavailable
from smallbox.ports import Queue
from smallbox.times import SECOND
from tests.contracts.conftest import REGION
from tests.fakes.edges import FakeQueue

Messages = Callable[[], list[dict[str, Any]]]


@pytest.fixture(params=["fake", "moto", "signed"])
def queue(request: pytest.FixtureRequest, aws: None, endpoint: str) -> tuple[Queue, Messages]:
    """An empty queue, and what waits in it."""
    if request.param == "fake":
        fake = FakeQueue()
        return fake, fake.take
    sqs = boto3.client("sqs", region_name=REGION)
    url = sqs.create_queue(QueueName="queue")["QueueUrl"]

    def received() -> list[dict[str, Any]]:
        found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(message["Body"]) for message in found]

    return SqsQueue(url, sqs if request.param == "moto" else SignedSqs(endpoint, REGION)), received


def test_each_message_arrives_whole(queue: tuple[Queue, Messages]) -> None:
    """What was sent waits, each message by itself, with numbers and texts as they were."""
    sender, received = queue
    sender.send([{"n": 0.1 + 0.2}, {"text": "Zürich"}])
    assert sorted(received(), key=str) == sorted([{"n": 0.1 + 0.2}, {"text": "Zürich"}], key=str)


def test_no_messages_are_no_call(queue: tuple[Queue, Messages]) -> None:
    """Sending nothing sends nothing."""
    sender, received = queue
    sender.send([])
    assert received() == []


@pytest.mark.parametrize("sender", ["moto", "signed"])
def test_a_queue_that_is_gone_is_unavailable(aws: None, endpoint: str, sender: str) -> None:
    """A message that was not taken is an error that may be tried again; a delay is passed on in seconds."""
    sqs = boto3.client("sqs", region_name=REGION)
    client = sqs if sender == "moto" else SignedSqs(endpoint, REGION)
    gone = SqsQueue("https://sqs.eu-central-1.amazonaws.com/123456789012/gone", client)
    with pytest.raises(Unavailable):
        gone.send([{}], delay=5 * SECOND)
