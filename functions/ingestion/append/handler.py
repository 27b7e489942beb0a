"""The events queue to the lake, then on to the features queue."""

from typing import Any

from smallbox.aws.batch import consume
from smallbox.aws.lake import DeltaLake
from smallbox.aws.queue import SqsQueue
from smallbox.aws.settings import Append, from_environment
from smallbox.define.project import load
from smallbox.ingestion.append import Appender

settings = from_environment(Append)
appender = Appender(load(), DeltaLake.in_bucket(settings.lake_bucket), SqsQueue(settings.features_queue))


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Append the messages of each source in one commit."""
    del context
    return consume(event, lambda message: str(message["source"]), appender.append)
