"""Last task of a training run: releases the registered version. Also runs the commands of ``smallbox release``."""

from collections.abc import Mapping
from typing import Any

from smallbox.aws import clock
from smallbox.aws.documents import DynamoDocuments
from smallbox.aws.settings import StartSettings, from_environment
from smallbox.aws.tasks import as_task
from smallbox.define.project import load
from smallbox.features.live_views import LiveViewStore
from smallbox.registry.store import Registry
from smallbox.release.by_hand import ByHandTask
from smallbox.release.start import StartTask

settings = from_environment(StartSettings)
documents = DynamoDocuments(settings.registry_table)
parts = load(), Registry(documents), LiveViewStore(documents)
task, by_hand = StartTask(*parts), ByHandTask(*parts)


@as_task
def handler(event: Any, context: object) -> Mapping[str, Any]:
    """Release the run's version and return its document; or, with ``action``, run a ``smallbox release`` command."""
    del context
    return by_hand.run(event, clock.now()) if "action" in event else task.run(event, clock.now())
