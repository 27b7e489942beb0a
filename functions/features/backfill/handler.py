"""Tasks of the backfill machine: plan, fill a part, publish."""

from typing import Any

from smallbox.aws import clock
from smallbox.aws.backoff import jittered
from smallbox.aws.delta_lake import DeltaLake
from smallbox.aws.documents import DynamoDocuments
from smallbox.aws.online import DynamoOnlineStore
from smallbox.aws.queue import SqsQueue
from smallbox.aws.settings import BackfillSettings, from_environment
from smallbox.aws.tasks import as_task
from smallbox.define.project import load
from smallbox.features.backfill import BackfillTask
from smallbox.features.live_views import LiveViewStore
from smallbox.registry.contracts import Contracts
from smallbox.registry.store import Registry

settings = from_environment(BackfillSettings)
lake, store = DeltaLake.in_bucket(settings.lake_bucket), DynamoOnlineStore(settings.online_table)
documents = DynamoDocuments(settings.registry_table)
parts = Registry(documents), Contracts(documents), LiveViewStore(documents)
task = BackfillTask(load(), *parts, lake, store, SqsQueue(settings.rebuild_queue), jittered)


@as_task
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Run the step that the event names."""
    del context
    return task.run(event["step"], event["document"], clock.now())
