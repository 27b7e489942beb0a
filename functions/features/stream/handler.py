"""Applies records from the features queue to the online store, each exactly once."""

from typing import Any

from smallbox.aws import clock
from smallbox.aws.backoff import jittered
from smallbox.aws.batch import consume
from smallbox.aws.documents import DynamoDocuments
from smallbox.aws.online import DynamoOnlineStore
from smallbox.aws.queue import SqsQueue
from smallbox.aws.settings import StreamSettings, from_environment
from smallbox.aws.signed.dynamodb import SignedDynamoDb
from smallbox.define.project import load
from smallbox.features.live_views import LiveViewStore
from smallbox.features.stream import StreamTask

settings = from_environment(StreamSettings)
again, rebuild = SqsQueue(settings.features_queue), SqsQueue(settings.rebuild_queue)
live = LiveViewStore(DynamoDocuments(settings.registry_table))
signed = SignedDynamoDb()
store = DynamoOnlineStore(settings.online_table, reads=signed, writes=signed)
streamer = StreamTask(load(), live, store, again, rebuild, jittered)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Apply the messages of each source."""
    del context
    now = clock.now()
    return consume(event, lambda message: str(message["source"]), lambda messages: streamer.apply(messages, now))
