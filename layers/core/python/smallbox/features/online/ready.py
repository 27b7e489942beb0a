"""Which version of each view may be read: one item of the store, so that views become readable in one step.

A state's key has the version of its view, so the states of a changed view are written beside the old ones, by the
stream from the deployment on and by a backfill for what was before. When the backfill is done, the item is written. A
version stays readable until the next deployment, and that starts new processes: so a process asks for the item until it
has seen what it needs, and then no more.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from smallbox.define.attributes import View
from smallbox.errors import Conflict, NotReady
from smallbox.features.online.apply import WRITE_ATTEMPTS, Pause
from smallbox.features.online.states import version_of
from smallbox.ports import OnlineStore, StateKey, StateWrite, StoredState

READY: Final = StateKey("", "")
"""The key of the item; a view has a name, so no state has this key."""


class Ready:
    """What a process has seen of the readable versions."""

    def __init__(self) -> None:
        self._seen: dict[str, str] = {}

    def keys(self, views: Iterable[View]) -> list[StateKey]:
        """What to read along with states of these views: nothing, once they have been seen."""
        return [] if not self._waiting(views) else [READY]

    def check(self, views: Sequence[View], states: Mapping[StateKey, StoredState]) -> None:
        """Look at what was read along.

        Raises:
            NotReady: naming the views whose version is not readable yet.
        """
        self._seen |= versions_in(states.get(READY))
        waiting = self._waiting(views)
        if waiting:
            raise NotReady(
                f"{', '.join(waiting)}: the view is new or has changed, and its history is not computed yet; run "
                "`smallbox backfill` unless it is running",
                views=waiting,
            )

    def _waiting(self, views: Iterable[View]) -> list[str]:
        return [view.name for view in views if self._seen.get(view.name) != version_of(view)]


def versions_in(stored: StoredState | None) -> dict[str, str]:
    """The readable versions by view."""
    return {} if stored is None else json.loads(stored.packed)


def readable(store: OnlineStore) -> dict[str, str]:
    """The readable versions by view, from the store."""
    return versions_in(store.read([READY]).get(READY))


def publish(store: OnlineStore, versions: Mapping[str, str], pause: Pause) -> None:
    """Make these versions readable, in one step.

    Raises:
        Conflict: when others kept writing the item.
    """
    _change(store, lambda known: known | dict(versions), pause)


class Withdrawal:
    """Before a process writes its first state it withdraws every version that is not one of its project's.

    What it writes, and marks as applied, is missing in those from then on: after a return to them, by hand or by
    a deployment that rolls back, they must be filled again before they are read.
    """

    def __init__(self, views: Iterable[View], store: OnlineStore, pause: Pause) -> None:
        self._own = {view.name: version_of(view) for view in views}
        self._store = store
        self._pause = pause
        self._is_done = False

    def once(self) -> None:
        """Do it, unless this process has.

        Raises:
            Conflict: when others kept writing the item.
        """
        if not self._is_done:
            _change(self._store, lambda known: dict(known.items() & self._own.items()), self._pause)
            self._is_done = True


def _change(store: OnlineStore, change: Callable[[dict[str, str]], dict[str, str]], pause: Pause) -> None:
    for attempt in range(WRITE_ATTEMPTS):
        if attempt:
            pause(attempt)
        stored = store.read([READY]).get(READY)
        known = versions_in(stored)
        wanted = change(known)
        if wanted == known:
            return
        packed = json.dumps(wanted, sort_keys=True).encode()
        try:
            store.commit([], [StateWrite(READY, packed, stored.version if stored else 0)])
        except Conflict:
            continue
        return
    raise Conflict("the item that says which views are readable stayed contended")
