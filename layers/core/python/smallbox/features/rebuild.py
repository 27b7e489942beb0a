"""The rebuild function: recomputes online states from the lake, as its queue messages request."""

from collections.abc import Mapping, Sequence
from typing import Any

from smallbox.define.project import Project
from smallbox.define.source import Source
from smallbox.errors import TooLarge
from smallbox.features.live_views import LiveViews, LiveViewStore, id_of
from smallbox.features.online.apply import Pause
from smallbox.features.online.rebuild_keys import keys_named
from smallbox.features.online.rebuilder import Rebuilder, Rebuilt
from smallbox.features.online.states import state_key
from smallbox.messages.encoded import Message
from smallbox.messages.rebuilds import LATER_DELAY, RebuildRequest, rebuild_set_aside
from smallbox.messages.records import message_moment
from smallbox.ports import Lake, OnlineStore, Queue
from smallbox.times import Micros


def group_of(message: Message) -> str:
    """The batching key of a message: its source, and whether it belongs to a replay.

    Requests for oversized states get a group of their own, so that their failure holds up no other request.
    """
    kind = "set aside" if "set_aside" in message else "rebuild"
    return f"{message['source']} {kind}{' replayed' if 'as_of' in message else ''}"


class RebuildTask:
    """Rebuilds online states from the lake."""

    def __init__(
        self, project: Project, live: LiveViewStore, lake: Lake, store: OnlineStore, later: Queue, pause: Pause
    ) -> None:
        self._project = project
        self._live = live
        self._lake = lake
        self._store = store
        self._later = later
        self._pause = pause

    def run(self, messages: Sequence[Message], now: Micros) -> None:
        """Rebuild each state that messages of one :func:`group_of` request, once, as of the latest of their moments.

        A rebuild marks records that reached the lake after it began. A view that has joined meanwhile may have read the
        lake before that, so the messages are worked again when the source's live views have changed.

        Raises:
            TooLarge: if a state still exceeds the size limit of an item.
        """
        source = self._project.source(messages[0]["source"])
        live = self._live.read()
        while True:
            self._run(source, live, messages, now)
            latest = self._live.read()
            if latest.joined(source.name) <= live.joined(source.name):
                return
            live = latest

    def _run(self, source: Source, live: LiveViews, messages: Sequence[Message], now: Micros) -> None:
        rebuilder = Rebuilder(source, live.of_source(source.name), self._lake, self._store, self._pause)
        moment = max(message_moment(message, now) for message in messages)
        if "set_aside" in messages[0]:
            self._try_again(rebuilder, messages, moment)
            return
        replayed = {"as_of": moment} if all("as_of" in message for message in messages) else {}
        if any(message.keys() <= {"source", "as_of"} for message in messages):
            self._ask(source.name, rebuilder.materialize(moment), replayed)
        self._ask(source.name, rebuilder.correct(keys_named(source, messages, self._lake, moment), moment), replayed)

    def _ask(self, source: str, rebuilt: Rebuilt, replayed: Mapping[str, Any]) -> None:
        """Request oversized states again, and later corrections; not the latter in a replay: its time stands still."""
        self._later.send([{**message, **replayed} for message in rebuild_set_aside(source, rebuilt.set_aside)])
        if not replayed:
            later = RebuildRequest(source, rebuilt.later).parts()
            self._later.send([part.as_json() for part in later], delay=LATER_DELAY)

    def _try_again(self, rebuilder: Rebuilder, messages: Sequence[Message], now: Micros) -> None:
        views = {id_of(view): view for view in rebuilder.views}
        named = [(views.get((name, version)), entity) for m in messages for name, entity, version in m["set_aside"]]
        keys = {state_key(view, entity): view for view, entity in named if view is not None}
        rebuilt = rebuilder.replace(keys, now)
        if rebuilt.set_aside:
            key = rebuilt.set_aside[0]
            raise TooLarge(
                f"{len(rebuilt.set_aside)} states of source {rebuilder.source.name} do not fit into their items, among "
                f"them one of view {key.view}; the message names them; correct what sends so much about one entity, or "
                "split the view, then redrive the message",
                view=key.view,
            )
