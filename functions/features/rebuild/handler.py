"""Recomputes online states from the lake, after a dropped file or a correction."""

from typing import Any

from smallbox.aws import clock
from smallbox.aws.backoff import jittered
from smallbox.aws.batch import consume
from smallbox.aws.delta_lake import DeltaLake
from smallbox.aws.documents import DynamoDocuments
from smallbox.aws.online import DynamoOnlineStore
from smallbox.aws.queue import SqsQueue
from smallbox.aws.settings import RebuildSettings, from_environment
from smallbox.define.project import load
from smallbox.features.live_views import LiveViewStore
from smallbox.features.rebuild import RebuildTask, group_of

settings = from_environment(RebuildSettings)
lake, store = DeltaLake.in_bucket(settings.lake_bucket), DynamoOnlineStore(settings.online_table)
live = LiveViewStore(DynamoDocuments(settings.registry_table))
task = RebuildTask(load(), live, lake, store, SqsQueue(settings.rebuild_queue), jittered)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Rebuild what the messages request, source by source."""
    del context
    return consume(event, group_of, lambda messages: task.run(messages, clock.now()))
