"""What the features' functions do with the messages of their queues."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from smallbox.define.project import Project
from smallbox.features.rebuild import Rebuilder
from smallbox.features.stream import Pause, Rebuild, apply
from smallbox.ingestion.messages import pack, unpack
from smallbox.ports import Lake, OnlineStore, Queue
from smallbox.times import MINUTE, Micros

EARLY_DELAY: Final[Micros] = 15 * MINUTE
"""How long a record that is not known yet waits before it is looked at again: the longest that SQS delays."""

LATER_DELAY: Final[Micros] = 5 * MINUTE
"""How long a request waits that found a record whose message is still on its way."""


def moment_of(message: Mapping[str, Any], now: Micros) -> Micros:
    """The present of a message: the one that a replay gave it, or the real one."""
    moment: Micros = message.get("as_of", now)
    return moment


class Streamer:
    """Applies messages of records to the online store."""

    def __init__(self, project: Project, store: OnlineStore, again: Queue, rebuild: Queue, pause: Pause) -> None:
        self._project = project
        self._store = store
        self._again = again
        self._rebuild = rebuild
        self._pause = pause

    def apply(self, messages: Sequence[Mapping[str, Any]], now: Micros) -> None:
        """Apply messages of one source; applying them again changes nothing."""
        for message in messages:
            self._apply(message, moment_of(message, now))

    def _apply(self, message: Mapping[str, Any], now: Micros) -> None:
        source = self._project.source(message["source"])
        views = self._project.views_of(source.name)
        outcome = apply(source, views, unpack(message), self._store, now=now, pause=self._pause)
        if outcome.rebuild is not None:
            self._rebuild.send([{**outcome.rebuild.as_json(), "as_of": now}])
        self._again.send(pack(outcome.early), delay=EARLY_DELAY)


class RebuildTask:
    """Rebuilds online states from the lake."""

    def __init__(self, project: Project, lake: Lake, store: OnlineStore, later: Queue, pause: Pause) -> None:
        self._project = project
        self._lake = lake
        self._store = store
        self._later = later
        self._pause = pause

    def run(self, messages: Sequence[Mapping[str, Any]], now: Micros) -> None:
        """Rebuild what messages of one source ask for: the states of some records, or all of them."""
        source = self._project.source(messages[0]["source"])
        views = self._project.views_of(source.name)
        rebuilder = Rebuilder(source, views, self._lake, self._store, self._pause)
        whole = [message for message in messages if "digests" not in message]
        if whole:
            rebuilder.materialize(max(moment_of(message, now) for message in whole))
        for message in messages:
            if "digests" in message and not rebuilder.correct(Rebuild.from_json(message), moment_of(message, now)):
                self._later.send([message], delay=LATER_DELAY)
