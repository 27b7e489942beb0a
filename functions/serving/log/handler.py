"""Writes predictions from the predictions queue to the prediction log, and counts how the arms of canaries do."""

from typing import Any

from smallbox.aws.batch import consume
from smallbox.aws.blobs import S3Blobs
from smallbox.aws.canary_counters import DynamoCanaryCounters
from smallbox.aws.delta_lake import DeltaLake
from smallbox.aws.documents import DynamoDocuments
from smallbox.aws.metrics import CloudWatchMeter
from smallbox.aws.settings import LogSettings, from_environment
from smallbox.define.project import load
from smallbox.registry.store import Registry
from smallbox.serving.log import LogTask
from smallbox.serving.profiled_predictions import PredictionProfiles

settings = from_environment(LogSettings)
registry = Registry(DynamoDocuments(settings.registry_table))
profiles = PredictionProfiles(registry, S3Blobs(settings.lake_bucket))
counters = DynamoCanaryCounters(settings.metrics_table)
task = LogTask(load(), DeltaLake.in_bucket(settings.lake_bucket), counters, CloudWatchMeter(), profiles)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Append the messages of each model in one commit."""
    del context
    return consume(event, lambda message: str(message["model"]), task.append)
