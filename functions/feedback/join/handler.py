"""Task of the daily machine: joins late labels to their predictions."""

from smallbox.aws import clock
from smallbox.aws.blobs import S3Blobs
from smallbox.aws.delta_lake import DeltaLake
from smallbox.aws.documents import DynamoDocuments
from smallbox.aws.settings import JoinSettings, from_environment
from smallbox.aws.tasks import as_task
from smallbox.define.project import load
from smallbox.documents.daily_run import DayDocument
from smallbox.feedback.join import JoinTask
from smallbox.feedback.profiled_labels import LabelProfiles
from smallbox.registry.store import Registry

settings = from_environment(JoinSettings)
registry = Registry(DynamoDocuments(settings.registry_table))
metrics = DynamoDocuments(settings.metrics_table)
profiles = LabelProfiles(registry, S3Blobs(settings.lake_bucket))
task = JoinTask(load(), DeltaLake.in_bucket(settings.lake_bucket), registry, metrics, profiles)


@as_task
def handler(event: DayDocument, context: object) -> DayDocument:
    """Join the labels that became known; returns the daily document for the next task."""
    del context
    return task.run(event, clock.now())
