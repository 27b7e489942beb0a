"""Task of the daily machine: the candidate of a release scores the logged requests. Also judges one off-policy."""

from collections.abc import Mapping
from typing import Any

from smallbox.aws import clock
from smallbox.aws.blobs import S3Blobs
from smallbox.aws.delta_lake import DeltaLake
from smallbox.aws.documents import DynamoDocuments
from smallbox.aws.settings import ShadowSettings, from_environment
from smallbox.aws.tasks import as_task
from smallbox.define.project import load
from smallbox.registry.loader import ModelLoader
from smallbox.registry.store import Registry
from smallbox.release.off_policy_look import OffPolicyTask
from smallbox.release.shadow import ShadowTask

settings = from_environment(ShadowSettings)
registry = Registry(DynamoDocuments(settings.registry_table))
lake = DeltaLake.in_bucket(settings.lake_bucket)
loader = ModelLoader.of_project(load(), registry, S3Blobs(settings.lake_bucket))
task = ShadowTask(load(), lake, registry, loader, DynamoDocuments(settings.metrics_table), clock.now)
judge = OffPolicyTask(load(), lake, registry, loader)


@as_task
def handler(event: Any, context: object) -> Mapping[str, Any]:
    """Score and settle the new days, and return the document; or, with ``action``, judge a version off-policy."""
    del context
    return judge.run(event, clock.now()) if "action" in event else task.run(event)
