"""What the stream's function does with the messages of its queue."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from smallbox.define.project import Project
from smallbox.features.stream import Pause, apply
from smallbox.ingestion.messages import moment_of, pack, unpack
from smallbox.ports import OnlineStore, Queue
from smallbox.records import Record
from smallbox.times import MINUTE, Micros

EARLY_DELAY: Final[Micros] = 15 * MINUTE
"""How long a record that is not known yet waits before it is looked at again: the longest that SQS delays."""


class Streamer:
    """Applies messages of records to the online store."""

    def __init__(self, project: Project, store: OnlineStore, again: Queue, rebuild: Queue, pause: Pause) -> None:
        self._project = project
        self._store = store
        self._again = again
        self._rebuild = rebuild
        self._pause = pause

    def apply(self, messages: Sequence[Mapping[str, Any]], now: Micros) -> None:
        """Apply messages of one source; applying them again changes nothing.

        Records of one moment are applied together, so that an entity of which many messages tell is written once.
        """
        by_moment: dict[Micros, list[Record]] = {}
        for message in messages:
            by_moment.setdefault(moment_of(message, now), []).extend(unpack(message))
        for moment, records in sorted(by_moment.items(), key=lambda pair: pair[0]):
            self._apply(messages[0]["source"], records, moment)

    def _apply(self, name: str, records: Sequence[Record], now: Micros) -> None:
        source = self._project.source(name)
        views = self._project.views_of(source.name)
        outcome = apply(source, views, records, self._store, now=now, pause=self._pause)
        if outcome.rebuild is not None:
            self._rebuild.send([{**outcome.rebuild.as_json(), "as_of": now}])
        self._again.send(pack(outcome.early), delay=EARLY_DELAY)
