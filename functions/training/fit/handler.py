"""Second task of a training run: fits, calibrates, exports to ONNX, checks parity, and measures."""

from smallbox.aws.blobs import S3Blobs
from smallbox.aws.documents import DynamoDocuments
from smallbox.aws.settings import FitSettings, from_environment
from smallbox.aws.tasks import as_task
from smallbox.define.project import load
from smallbox.documents.training_run import DatasetRun, FittedRun
from smallbox.registry.store import Registry
from smallbox.training.fit import FitTask

settings = from_environment(FitSettings)
task = FitTask(load(), S3Blobs(settings.lake_bucket), Registry(DynamoDocuments(settings.registry_table)))


@as_task
def handler(event: DatasetRun, context: object) -> FittedRun:
    """Fit the candidate and store its artifacts; returns the run's document for the next task."""
    del context
    return task.run(event)
