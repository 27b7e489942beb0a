"""A file under ``score/<model>/in/`` to predictions under ``score/<model>/out/``."""

from typing import Any

from smallbox.aws import clock
from smallbox.aws.batch import consume
from smallbox.aws.blobs import S3Blobs
from smallbox.aws.documents import DynamoDocuments
from smallbox.aws.lake import DeltaLake
from smallbox.aws.objects import each_object, key_of
from smallbox.aws.settings import Score, from_environment
from smallbox.define.project import load
from smallbox.registry.store import Registry
from smallbox.serving.predict import ModelShelf
from smallbox.serving.score import BatchScorer

settings = from_environment(Score)
inbox = S3Blobs(settings.inbox_bucket)
shelf = ModelShelf(Registry(DynamoDocuments(settings.registry_table)), S3Blobs(settings.lake_bucket))
scorer = BatchScorer(load(), DeltaLake.in_bucket(settings.lake_bucket), shelf, inbox)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Score each file that the messages name."""
    del context
    score_one = each_object(
        inbox, lambda key, content, tag: scorer.score(key, content, tag, clock.now()), scorer.refuse
    )
    return consume(event, key_of, score_one)
