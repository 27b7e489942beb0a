"""Looks every hour whether the sources of live models are stale, and tells new incidents."""

from typing import Any

from smallbox.aws import clock
from smallbox.aws.delta_lake import DeltaLake
from smallbox.aws.documents import DynamoDocuments
from smallbox.aws.metrics import CloudWatchMeter
from smallbox.aws.notices import TopicNotices
from smallbox.aws.settings import FreshnessSettings, from_environment
from smallbox.aws.tasks import as_task
from smallbox.define.project import load
from smallbox.monitoring.freshness import FreshnessTask
from smallbox.registry.store import Registry
from smallbox.times import parse_moment

settings = from_environment(FreshnessSettings)
task = FreshnessTask(
    load(),
    DeltaLake.in_bucket(settings.lake_bucket),
    Registry(DynamoDocuments(settings.registry_table)),
    DynamoDocuments(settings.metrics_table),
    CloudWatchMeter(),
    TopicNotices(settings.alarms_topic),
)


@as_task
def handler(event: Any, context: object) -> dict[str, list[str]]:
    """Look at every source, at the present or the moment ``as_of``; the sentences of the stale ones, by model."""
    del context
    return task.run(parse_moment(event["as_of"]) if "as_of" in event else clock.now())
