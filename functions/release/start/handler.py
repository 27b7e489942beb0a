"""Last task of a training run: the registered version becomes champion, or challenger in a canary."""

from typing import Any

from smallbox.aws.documents import DynamoDocuments
from smallbox.aws.settings import Start, from_environment
from smallbox.aws.tasks import as_task
from smallbox.define.project import load
from smallbox.registry.store import Registry
from smallbox.release.start import StartTask

settings = from_environment(Start)
task = StartTask(load(), Registry(DynamoDocuments(settings.registry_table)))


@as_task
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Release the version; passes the run's document on."""
    del context
    return task.run(event)
