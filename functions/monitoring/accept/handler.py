"""Runs the commands of people: ``smallbox monitor accept``, and ``smallbox incidents acknowledge`` and ``close``."""

from typing import Any

from smallbox.aws import clock
from smallbox.aws.blobs import S3Blobs
from smallbox.aws.delta_lake import DeltaLake
from smallbox.aws.documents import DynamoDocuments
from smallbox.aws.settings import AcceptSettings, from_environment
from smallbox.aws.tasks import as_task
from smallbox.define.project import load
from smallbox.monitoring.accept import AcceptTask
from smallbox.monitoring.by_person import IncidentTask
from smallbox.registry.signatures import Signatures
from smallbox.registry.store import Registry

settings = from_environment(AcceptSettings)
registry, blobs = Registry(DynamoDocuments(settings.registry_table)), S3Blobs(settings.lake_bucket)
metrics = DynamoDocuments(settings.metrics_table)
task = AcceptTask(
    load(), DeltaLake.in_bucket(settings.lake_bucket), blobs, registry, Signatures(load(), registry, blobs), metrics
)
by_person = IncidentTask(metrics)


@as_task
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Accept a week; or, with ``incident``, acknowledge or close that incident."""
    del context
    return by_person.run(event, clock.now()) if "incident" in event else task.run(event, clock.now())
