"""Task of the daily machine: looks at the running experiment. Also runs the commands of ``smallbox experiment``."""

from collections.abc import Mapping
from typing import Any

from smallbox.aws import clock
from smallbox.aws.delta_lake import DeltaLake
from smallbox.aws.documents import DynamoDocuments
from smallbox.aws.settings import ExperimentSettings, from_environment
from smallbox.aws.tasks import as_task
from smallbox.define.project import load
from smallbox.features.live_views import LiveViewStore
from smallbox.registry.store import Registry
from smallbox.release.experiment import ExperimentTask

settings = from_environment(ExperimentSettings)
documents = DynamoDocuments(settings.registry_table)
task = ExperimentTask(load(), DeltaLake.in_bucket(settings.lake_bucket), Registry(documents), LiveViewStore(documents))


@as_task
def handler(event: Any, context: object) -> Mapping[str, Any]:
    """Look at the experiment and return the daily document; or, with ``action``, run a ``smallbox experiment``."""
    del context
    return task.by_hand(event, clock.now()) if "action" in event else task.run(event, clock.now())
