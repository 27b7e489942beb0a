"""A file dropped under ``drop/`` to the lake."""

from typing import Any

from smallbox.aws import clock
from smallbox.aws.batch import consume
from smallbox.aws.blobs import S3Blobs
from smallbox.aws.lake import DeltaLake
from smallbox.aws.objects import each_object, key_of
from smallbox.aws.queue import SqsQueue
from smallbox.aws.settings import Load, from_environment
from smallbox.define.project import load
from smallbox.ingestion.load import Loader

settings = from_environment(Load)
inbox = S3Blobs(settings.inbox_bucket)
loader = Loader(
    load(), DeltaLake.in_bucket(settings.lake_bucket), S3Blobs(settings.lake_bucket), SqsQueue(settings.rebuild_queue)
)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Load each file that the messages name."""
    del context
    load_one = each_object(inbox, lambda key, content: loader.load(key, content, clock.now()), loader.refuse)
    return consume(event, key_of, load_one)
