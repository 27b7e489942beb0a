"""Task of the daily machine: computes and stores the metrics of an event day, and tells new incidents."""

from smallbox.aws.blobs import S3Blobs
from smallbox.aws.delta_lake import DeltaLake
from smallbox.aws.documents import DynamoDocuments
from smallbox.aws.metrics import CloudWatchMeter
from smallbox.aws.notices import TopicNotices
from smallbox.aws.online import DynamoOnlineStore
from smallbox.aws.settings import CheckSettings, from_environment
from smallbox.aws.tasks import as_task
from smallbox.define.project import load
from smallbox.documents.daily_run import DayDocument
from smallbox.monitoring.check import CheckTask
from smallbox.registry.signatures import Signatures
from smallbox.registry.store import Registry

settings = from_environment(CheckSettings)
registry, blobs = Registry(DynamoDocuments(settings.registry_table)), S3Blobs(settings.lake_bucket)
task = CheckTask(
    load(),
    DeltaLake.in_bucket(settings.lake_bucket),
    blobs,
    registry,
    Signatures(load(), registry, blobs),
    DynamoDocuments(settings.metrics_table),
    CloudWatchMeter(),
    TopicNotices(settings.alarms_topic),
    online=DynamoOnlineStore(settings.online_table),
)


@as_task
def handler(event: DayDocument, context: object) -> DayDocument:
    """Check the day; returns the daily document with the breaches for the next task."""
    del context
    return task.run(event)
