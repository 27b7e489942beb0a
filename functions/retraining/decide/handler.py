"""Decides whether to roll back or to retrain: as the last task of the daily machine, or when an alarm fires."""

from typing import Any

from smallbox.aws import clock
from smallbox.aws.alarms import models_of
from smallbox.aws.documents import DynamoDocuments
from smallbox.aws.settings import DecideSettings, from_environment
from smallbox.aws.tasks import as_task
from smallbox.aws.workflow import StateMachine
from smallbox.define.project import load
from smallbox.features.live_views import LiveViewStore
from smallbox.registry.store import Registry
from smallbox.release.by_hand import ByHandTask
from smallbox.retraining.decide import DecideTask

settings = from_environment(DecideSettings)
documents = DynamoDocuments(settings.registry_table)
task = DecideTask(
    load(),
    Registry(documents),
    DynamoDocuments(settings.metrics_table),
    StateMachine(settings.training_machine),
    ByHandTask(load(), Registry(documents), LiveViewStore(documents)),
)


@as_task
def handler(event: Any, context: object) -> Any:
    """Decide for the daily document's model, or for each model with an alarm in the SNS event."""
    del context
    if "Records" not in event:
        return task.run(event, clock.now())
    return {"decisions": [task.on_alarm(model) for model in models_of(event)]}
