"""Task of the daily machine: the candidate of the running release scores the logged requests."""

from smallbox.aws import clock
from smallbox.aws.blobs import S3Blobs
from smallbox.aws.delta_lake import DeltaLake
from smallbox.aws.documents import DynamoDocuments
from smallbox.aws.settings import ShadowSettings, from_environment
from smallbox.aws.tasks import as_task
from smallbox.define.project import load
from smallbox.documents.daily_run import DayDocument
from smallbox.registry.loader import ModelLoader
from smallbox.registry.store import Registry
from smallbox.release.shadow import ShadowTask

settings = from_environment(ShadowSettings)
registry = Registry(DynamoDocuments(settings.registry_table))
task = ShadowTask(
    load(),
    DeltaLake.in_bucket(settings.lake_bucket),
    registry,
    ModelLoader.of_project(load(), registry, S3Blobs(settings.lake_bucket)),
    DynamoDocuments(settings.metrics_table),
    clock.now,
)


@as_task
def handler(event: DayDocument, context: object) -> DayDocument:
    """Score and settle the new days; returns the document for the next task."""
    del context
    return task.run(event)
