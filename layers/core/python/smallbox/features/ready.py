"""Which version of each view may be read: one item of the store, so that views become readable in one step.

A state's key has the version of its view, so the states of a changed view are written beside the old ones, by the
stream from the deployment on and by a backfill for what was before. When the backfill is done, the item is written. A
version stays readable until the next deployment, and that starts new processes: so a process asks for the item until it
has seen what it needs, and then no more.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from smallbox.define.attributes import View
from smallbox.errors import Conflict, NotReady
from smallbox.features.states import version_of
from smallbox.features.stream import ATTEMPTS, Pause
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
                f"{', '.join(waiting)}: the view is new or has changed, and its history is still being computed; see "
                "`smallbox backfill`",
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
    for attempt in range(ATTEMPTS):
        if attempt:
            pause(attempt)
        stored = store.read([READY]).get(READY)
        packed = json.dumps(versions_in(stored) | dict(versions), sort_keys=True).encode()
        try:
            store.commit([], [StateWrite(READY, packed, stored.version if stored else 0)])
        except Conflict:
            continue
        return
    raise Conflict("the item that says which views are readable stayed contended")
