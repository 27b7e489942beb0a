"""The stream function: applies queue messages of records to the online store."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from smallbox.define.project import Project
from smallbox.features.live_views import LiveViewStore
from smallbox.features.online.apply import Applied, Pause, apply_records
from smallbox.messages.records import pack_records, unpack_records
from smallbox.ports import OnlineStore, Queue
from smallbox.records import Record
from smallbox.times import MINUTE, Micros

EARLY_DELAY: Final[Micros] = 15 * MINUTE
"""Retry delay of a record whose ``known_at`` is in the future: the maximum of SQS."""


class StreamTask:
    """Applies messages of records to the online store."""

    def __init__(
        self, project: Project, live: LiveViewStore, store: OnlineStore, again: Queue, rebuild: Queue, pause: Pause
    ) -> None:
        self._project = project
        self._live = live
        self._store = store
        self._again = again
        self._rebuild = rebuild
        self._pause = pause

    def apply(self, messages: Sequence[Mapping[str, Any]], now: Micros) -> None:
        """Apply messages of one source to all its live views; idempotent.

        The live views are read after the messages were received. So a view that this misses joined later than these
        records reached the lake, and its backfill reads them there; see :mod:`smallbox.features.online.rebuilder`.

        Records of one ``as_of`` are applied together, so that an entity named in many messages is written once for as
        many of its records as fit into a transaction.
        """
        source = self._project.source(messages[0]["source"])
        views = self._live.read().of_source(source.name)
        by_moment: dict[Micros | None, list[Record]] = {}
        for message in messages:
            by_moment.setdefault(message.get("as_of"), []).extend(unpack_records(message))
        for as_of in sorted(by_moment, key=lambda moment: now if moment is None else moment):
            moment = now if as_of is None else as_of
            outcome = apply_records(source, views, by_moment[as_of], self._store, now=moment, pause=self._pause)
            self._pass_on(outcome, as_of)

    def _pass_on(self, outcome: Applied, as_of: Micros | None) -> None:
        # outside a replay the rebuild uses its own current time: a newer version may be in the lake by then
        replayed = {} if as_of is None else {"as_of": as_of}
        for request in outcome.rebuild.parts() if outcome.rebuild else ():
            self._rebuild.send([{**request.as_json(), **replayed}])
        self._again.send(pack_records(outcome.early), delay=EARLY_DELAY)
