"""First task of a training run: builds its point-in-time dataset."""

from smallbox.aws import clock
from smallbox.aws.blobs import S3Blobs
from smallbox.aws.delta_lake import DeltaLake
from smallbox.aws.documents import DynamoDocuments
from smallbox.aws.settings import DatasetSettings, from_environment
from smallbox.aws.tasks import as_task
from smallbox.define.project import load
from smallbox.documents.training_run import DatasetRun, TrainingRequest
from smallbox.registry.signatures import Signatures
from smallbox.registry.store import Registry
from smallbox.training.dataset import DatasetTask

settings = from_environment(DatasetSettings)
blobs, registry = S3Blobs(settings.lake_bucket), Registry(DynamoDocuments(settings.registry_table))
signatures = Signatures(load(), registry, blobs)
task = DatasetTask(load(), DeltaLake.in_bucket(settings.lake_bucket), blobs, registry, signatures)


@as_task
def handler(event: TrainingRequest, context: object) -> DatasetRun:
    """Build and store the dataset; returns the run's document for the next task."""
    del context
    return task.run(event, clock.now())
