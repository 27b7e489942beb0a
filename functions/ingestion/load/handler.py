"""Loads a file dropped under ``drop/``, or a part of one, into the lake."""

from typing import Any

from smallbox.aws.batch import consume
from smallbox.aws.blobs import S3Blobs
from smallbox.aws.delta_lake import DeltaLake
from smallbox.aws.documents import DynamoDocuments
from smallbox.aws.objects import object_key
from smallbox.aws.queue import SqsQueue
from smallbox.aws.settings import LoadSettings, from_environment
from smallbox.define.project import load
from smallbox.ingestion.load import LoadTask
from smallbox.ingestion.profiled_records import RecordProfiles
from smallbox.registry.live_sources import LiveSources

settings = from_environment(LoadSettings)
blobs = S3Blobs(settings.lake_bucket)
drops = LoadTask(
    load(),
    LiveSources(DynamoDocuments(settings.registry_table)),
    DeltaLake.in_bucket(settings.lake_bucket),
    blobs,
    S3Blobs(settings.inbox_bucket),
    SqsQueue(settings.drops_queue),
    SqsQueue(settings.rebuild_queue),
    profiles=RecordProfiles(blobs),
)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Load each file that an S3 event names, and each part that a message of this function names."""
    del context
    return consume(event, _name, lambda messages: _take(messages[0]))


def _name(message: Any) -> str:
    return f"{message['folder']}/{message['number']}" if "folder" in message else object_key(message)


def _take(message: Any) -> None:
    if "folder" in message:
        drops.take_part(message)
    else:
        drops.take(object_key(message))
