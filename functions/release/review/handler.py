"""Task of the daily machine: promotes a running canary, rolls it back, or waits."""

from smallbox.aws import clock
from smallbox.aws.delta_lake import DeltaLake
from smallbox.aws.documents import DynamoDocuments
from smallbox.aws.settings import ReviewSettings, from_environment
from smallbox.aws.tasks import as_task
from smallbox.define.project import load
from smallbox.documents.daily_run import DayDocument
from smallbox.features.live_views import LiveViewStore
from smallbox.registry.store import Registry
from smallbox.release.review import ReviewTask

settings = from_environment(ReviewSettings)
documents = DynamoDocuments(settings.registry_table)
task = ReviewTask(
    load(),
    DeltaLake.in_bucket(settings.lake_bucket),
    Registry(documents),
    LiveViewStore(documents),
    DynamoDocuments(settings.metrics_table),
)


@as_task
def handler(event: DayDocument, context: object) -> DayDocument:
    """Review the canary; returns the daily document for the next task."""
    del context
    return task.run(event, clock.now())
