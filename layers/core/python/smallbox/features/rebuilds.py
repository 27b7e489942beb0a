"""What the rebuild's function does with the messages of its queue."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from smallbox.define.project import Project
from smallbox.features.ready import Withdrawal
from smallbox.features.rebuild import Rebuilder
from smallbox.features.stream import Pause, Rebuild
from smallbox.ingestion.messages import moment_of
from smallbox.ports import Lake, OnlineStore, Queue
from smallbox.times import MINUTE, Micros

LATER_DELAY: Final[Micros] = 5 * MINUTE
"""How long a request waits that found a record whose message is still on its way."""


class RebuildTask:
    """Rebuilds online states from the lake."""

    def __init__(self, project: Project, lake: Lake, store: OnlineStore, later: Queue, pause: Pause) -> None:
        self._project = project
        self._lake = lake
        self._store = store
        self._later = later
        self._pause = pause
        self._withdrawal = Withdrawal(project.views.values(), store, pause)

    def run(self, messages: Sequence[Mapping[str, Any]], now: Micros) -> None:
        """Rebuild what messages of one source ask for: the states of some records, or all of them."""
        self._withdrawal.once()
        source = self._project.source(messages[0]["source"])
        views = self._project.views_of(source.name)
        rebuilder = Rebuilder(source, views, self._lake, self._store, self._pause)
        whole = [message for message in messages if "digests" not in message]
        if whole:
            rebuilder.materialize(max(moment_of(message, now) for message in whole))
        for message in messages:
            if "digests" in message and not rebuilder.correct(Rebuild.from_json(message), moment_of(message, now)):
                self._later.send([message], delay=LATER_DELAY)
