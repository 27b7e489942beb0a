"""Appends records from the events queue to the lake, then forwards them to the features queue."""

from typing import Any

from smallbox.aws.batch import consume
from smallbox.aws.blobs import S3Blobs
from smallbox.aws.delta_lake import DeltaLake
from smallbox.aws.documents import DynamoDocuments
from smallbox.aws.queue import SqsQueue
from smallbox.aws.settings import AppendSettings, from_environment
from smallbox.define.project import load
from smallbox.ingestion.append import AppendTask
from smallbox.ingestion.profiled_records import RecordProfiles
from smallbox.ingestion.quarantine import Quarantine
from smallbox.registry.live_sources import LiveSources

settings = from_environment(AppendSettings)
lake, blobs = DeltaLake.in_bucket(settings.lake_bucket), S3Blobs(settings.lake_bucket)
live = LiveSources(DynamoDocuments(settings.registry_table))
features = SqsQueue(settings.features_queue)
appender = AppendTask(load(), live, lake, Quarantine(blobs), features, RecordProfiles(blobs))


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Append the messages of each source in one commit."""
    del context
    return consume(event, lambda message: str(message["source"]), appender.append)
