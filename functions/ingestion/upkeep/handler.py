"""Daily upkeep of the lake: updates the ``current`` tables, compacts files, deletes replaced files."""

from typing import Any

from smallbox.aws import clock
from smallbox.aws.blobs import S3Blobs
from smallbox.aws.delta_lake import DeltaLake
from smallbox.aws.documents import DynamoDocuments
from smallbox.aws.queue import SqsQueue
from smallbox.aws.settings import UpkeepSettings as Settings
from smallbox.aws.settings import from_environment
from smallbox.aws.tasks import as_task
from smallbox.define.project import load
from smallbox.ingestion.upkeep import UpkeepTask
from smallbox.profiles.store import ProfileStore
from smallbox.registry.live_sources import LiveSources

settings = from_environment(Settings)
live = LiveSources(DynamoDocuments(settings.registry_table))
lake, profiles = DeltaLake.in_bucket(settings.lake_bucket), ProfileStore(S3Blobs(settings.lake_bucket))
upkeep = UpkeepTask(load(), live, lake, SqsQueue(settings.rebuild_queue), profiles)


@as_task
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Maintain every table as of the event's ``as_of``, or now; returns the watermark of each ``current`` table."""
    del context
    return upkeep.run(event, clock.now())
