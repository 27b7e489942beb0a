"""Acknowledges or closes an incident: ``smallbox incidents acknowledge`` and ``close``."""

from typing import Any

from smallbox.aws import clock
from smallbox.aws.documents import DynamoDocuments
from smallbox.aws.settings import ResolveSettings, from_environment
from smallbox.aws.tasks import as_task
from smallbox.monitoring.resolve import ResolveTask

settings = from_environment(ResolveSettings)
task = ResolveTask(DynamoDocuments(settings.metrics_table))


@as_task
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Apply the action to the incident; returns it."""
    del context
    return task.run(event, clock.now())
