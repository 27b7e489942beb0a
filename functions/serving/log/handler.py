"""Writes predictions from the predictions queue to the prediction log."""

from typing import Any

from smallbox.aws.batch import consume
from smallbox.aws.delta_lake import DeltaLake
from smallbox.aws.settings import LogSettings, from_environment
from smallbox.define.project import load
from smallbox.serving.log import LogTask

settings = from_environment(LogSettings)
task = LogTask(load(), DeltaLake.in_bucket(settings.lake_bucket))


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Append the messages of each model in one commit."""
    del context
    return consume(event, lambda message: str(message["model"]), task.append)
