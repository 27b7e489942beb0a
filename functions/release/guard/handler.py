"""Looks at running canaries: when the alarm of challengers in trouble rings, and every few minutes."""

from typing import Any

from smallbox.aws import clock
from smallbox.aws.canary_counters import DynamoCanaryCounters
from smallbox.aws.documents import DynamoDocuments
from smallbox.aws.notices import TopicNotices
from smallbox.aws.settings import GuardSettings, from_environment
from smallbox.aws.tasks import as_task
from smallbox.define.project import load
from smallbox.registry.store import Registry
from smallbox.release.guard import GuardTask

settings = from_environment(GuardSettings)
task = GuardTask(
    load(),
    Registry(DynamoDocuments(settings.registry_table)),
    DynamoDocuments(settings.metrics_table),
    DynamoCanaryCounters(settings.metrics_table),
    TopicNotices(settings.alarms_topic),
)


@as_task
def handler(event: Any, context: object) -> list[dict[str, Any]]:
    """Look at every canary; returns what was done with each. Only the schedule takes one a step up, no alarm does."""
    del context
    return task.run(clock.now(), climbs="Records" not in event)
