"""Batch predictions: scores the files under ``score/<model>/in/``, the parts of large ones one by one."""

from typing import Any

from smallbox.aws import clock
from smallbox.aws.batch import consume
from smallbox.aws.blobs import S3Blobs
from smallbox.aws.delta_lake import DeltaLake
from smallbox.aws.documents import DynamoDocuments
from smallbox.aws.objects import object_key
from smallbox.aws.settings import ScoreSettings, from_environment
from smallbox.aws.tasks import as_task
from smallbox.aws.workflow import StateMachine
from smallbox.define.project import load
from smallbox.registry.loader import ModelLoader
from smallbox.registry.store import Registry
from smallbox.serving.profiled_predictions import PredictionProfiles
from smallbox.serving.score import ScoreTask

settings = from_environment(ScoreSettings)
inbox = S3Blobs(settings.inbox_bucket)
registry = Registry(DynamoDocuments(settings.registry_table))
blobs = S3Blobs(settings.lake_bucket)
loader, profiles = ModelLoader.of_project(load(), registry, blobs), PredictionProfiles(registry, blobs)
machine = StateMachine(settings.scoring_machine)
scorer = ScoreTask(load(), DeltaLake.in_bucket(settings.lake_bucket), loader, inbox, machine, profiles=profiles)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Score each file that the messages name; or run the step that the state machine or the schedule names."""
    if "Records" in event:
        return consume(event, object_key, lambda messages: scorer.take(object_key(messages[0])))
    return step(event, context)


@as_task
def step(event: dict[str, Any], context: object) -> dict[str, Any]:
    del context
    return scorer.run(event["step"], event["document"], clock.now())
