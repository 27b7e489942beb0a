"""Third task of a training run: runs the quality gate and records the version; or records that the run failed."""

from collections.abc import Mapping
from typing import Any

from smallbox.aws import clock
from smallbox.aws.blobs import S3Blobs
from smallbox.aws.documents import DynamoDocuments
from smallbox.aws.settings import RegisterSettings, from_environment
from smallbox.aws.tasks import as_task
from smallbox.define.project import load
from smallbox.registry.register import RegisterTask
from smallbox.registry.store import Registry

settings = from_environment(RegisterSettings)
task = RegisterTask(load(), Registry(DynamoDocuments(settings.registry_table)), S3Blobs(settings.lake_bucket))


@as_task
def handler(event: Any, context: object) -> Mapping[str, Any]:
    """Gate and register the candidate; returns the run's document with ``accepted``. Step ``failure`` records one."""
    del context
    if event.get("step") == "failure":
        return task.record_failure(event["document"], clock.now())
    return task.run(event)
