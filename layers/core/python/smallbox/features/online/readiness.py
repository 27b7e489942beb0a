"""The readable version of each view: one item in the online store, so that views are published atomically.

A state's key contains the version of its view. So states of a changed view are written beside the old ones: by the
stream from the deployment on, by a backfill for earlier records. After the backfill, the item is updated. A version
stays readable until the next deployment, which starts new processes. So a process reads the item until it has seen its
own versions, and then stops reading it.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from smallbox.define.attributes import View
from smallbox.errors import Conflict, NotReady
from smallbox.features.online.apply import WRITE_ATTEMPTS, Pause
from smallbox.features.online.states import version_of
from smallbox.ports import OnlineStore, StateKey, StateWrite, StoredState

READABLE_KEY: Final = StateKey("", "")
"""The key of the item. Views have non-empty names, so no state has this key."""


class ReadableVersions:
    """The published view versions that this process has seen."""

    def __init__(self) -> None:
        self._seen: dict[str, str] = {}

    def keys(self, views: Iterable[View]) -> list[StateKey]:
        """The extra keys to read together with states of these views; empty once all are known to be published."""
        return [] if not self._waiting(views) else [READABLE_KEY]

    def check(self, views: Sequence[View], states: Mapping[StateKey, StoredState]) -> None:
        """Raise unless every view is published, according to ``states`` or an earlier read.

        Raises:
            NotReady: names the views whose version is not published yet.
        """
        self._seen |= versions_in(states.get(READABLE_KEY))
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
    """The readable versions by view, from the stored item."""
    return {} if stored is None else json.loads(stored.packed)


def readable(store: OnlineStore) -> dict[str, str]:
    """Read the readable versions by view from the store."""
    return versions_in(store.read([READABLE_KEY]).get(READABLE_KEY))


def publish(store: OnlineStore, versions: Mapping[str, str], pause: Pause) -> None:
    """Make these versions readable, atomically.

    Raises:
        Conflict: if concurrent writes of the item exhausted all attempts.
    """
    _change(store, lambda known: known | dict(versions), pause)


class Withdrawal:
    """Unpublishes every view version that is not of this project, once, before this process writes its first state.

    Records that this process marks as applied are missing in states of other versions from then on. After a rollback,
    by hand or by a failed deployment, those versions must be backfilled before they are read again.
    """

    def __init__(self, views: Iterable[View], store: OnlineStore, pause: Pause) -> None:
        self._own = {view.name: version_of(view) for view in views}
        self._store = store
        self._pause = pause
        self._is_done = False

    def once(self) -> None:
        """Unpublish other versions, unless this process has done so before.

        Raises:
            Conflict: if concurrent writes of the item exhausted all attempts.
        """
        if not self._is_done:
            _change(self._store, lambda known: dict(known.items() & self._own.items()), self._pause)
            self._is_done = True


def _change(store: OnlineStore, change: Callable[[dict[str, str]], dict[str, str]], pause: Pause) -> None:
    for attempt in range(WRITE_ATTEMPTS):
        if attempt:
            pause(attempt)
        stored = store.read([READABLE_KEY]).get(READABLE_KEY)
        known = versions_in(stored)
        wanted = change(known)
        if wanted == known:
            return
        packed = json.dumps(wanted, sort_keys=True).encode()
        try:
            store.commit([], [StateWrite(READABLE_KEY, packed, stored.version if stored else 0)])
        except Conflict:
            continue
        return
    raise Conflict(f"the item of readable views was written concurrently in all {WRITE_ATTEMPTS} attempts; try again")
