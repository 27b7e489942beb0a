"""``smallbox monitor accept``: makes the week of the latest report the reference profile of the drift checks."""

from typing import Any

from smallbox.aws import clock
from smallbox.aws.blobs import S3Blobs
from smallbox.aws.delta_lake import DeltaLake
from smallbox.aws.documents import DynamoDocuments
from smallbox.aws.settings import AcceptSettings, from_environment
from smallbox.aws.tasks import as_task
from smallbox.define.project import load
from smallbox.monitoring.accept import AcceptTask
from smallbox.registry.signatures import Signatures
from smallbox.registry.store import Registry

settings = from_environment(AcceptSettings)
registry, blobs = Registry(DynamoDocuments(settings.registry_table)), S3Blobs(settings.lake_bucket)
task = AcceptTask(
    load(),
    DeltaLake.in_bucket(settings.lake_bucket),
    blobs,
    registry,
    Signatures(load(), registry, blobs),
    DynamoDocuments(settings.metrics_table),
)


@as_task
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Accept the week for the event's ``model``, ``why``, ``by`` and ``channel``."""
    del context
    return task.run(event, clock.now())
