"""A task of the day: late labels to the predictions they belong to."""

from smallbox.aws import clock
from smallbox.aws.lake import DeltaLake
from smallbox.aws.settings import JoinSettings, from_environment
from smallbox.aws.tasks import as_task
from smallbox.define.project import load
from smallbox.documents.day import DayDocument
from smallbox.feedback.join import JoinTask

settings = from_environment(JoinSettings)
task = JoinTask(load(), DeltaLake.in_bucket(settings.lake_bucket))


@as_task
def handler(event: DayDocument, context: object) -> DayDocument:
    """Join what became known; passes the day's document on."""
    del context
    return task.run(event, clock.now())
