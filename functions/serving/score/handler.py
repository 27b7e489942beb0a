"""Batch predictions: scores a file under ``score/<model>/in/``, and writes the result to ``score/<model>/out/``."""

from typing import Any

from smallbox.aws import clock
from smallbox.aws.batch import consume
from smallbox.aws.blobs import S3Blobs
from smallbox.aws.delta_lake import DeltaLake
from smallbox.aws.documents import DynamoDocuments
from smallbox.aws.objects import each_object, object_key
from smallbox.aws.settings import ScoreSettings, from_environment
from smallbox.define.project import load
from smallbox.registry.loader import ModelLoader
from smallbox.registry.store import Registry
from smallbox.serving.score import ScoreTask

settings = from_environment(ScoreSettings)
inbox = S3Blobs(settings.inbox_bucket)
registry = Registry(DynamoDocuments(settings.registry_table))
loader = ModelLoader.of_project(load(), registry, S3Blobs(settings.lake_bucket))
scorer = ScoreTask(load(), DeltaLake.in_bucket(settings.lake_bucket), loader, inbox)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Score each file that the messages name."""
    del context
    score_one = each_object(
        inbox, lambda key, content, tag: scorer.score(key, content, tag, clock.now()), scorer.refuse
    )
    return consume(event, object_key, score_one)
