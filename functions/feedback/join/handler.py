"""A task of the day: late labels to the predictions they belong to."""

from typing import Any

from smallbox.aws import clock
from smallbox.aws.lake import DeltaLake
from smallbox.aws.settings import JoinSettings, from_environment
from smallbox.aws.tasks import as_task
from smallbox.define.project import load
from smallbox.feedback.join import JoinTask

settings = from_environment(JoinSettings)
task = JoinTask(load(), DeltaLake.in_bucket(settings.lake_bucket))


@as_task
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Join what became known; passes the day's document on."""
    del context
    return task.run(event, clock.now())
