"""The live views: the view versions whose online states are kept, as data in the registry.

A view is live while the deployed definition needs it, or a live version of a model does: one that answers requests, or
could answer them by one write. So a changed definition and its predecessor are kept up to date side by side.

The document has a revision. Stream, rebuild and backfill read it after they have received their messages, so that they
follow it without a deployment::

    joins: filling ----(backfill)----> ready ----(nothing needs it)----> leaving ----(an hour)----> dropped

A view that leaves is kept for an hour, longer than any function runs. So a routing change that has just found it ready
cannot lose it. A view that joins again after it was dropped is filled again: ``since`` tells the two apart.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from smallbox.define.attributes import View
from smallbox.define.frozen_views import freeze_view, thaw_view
from smallbox.errors import Conflict, NotReady
from smallbox.features.online.states import version_of
from smallbox.ports import Documents
from smallbox.registry.live_sources import LIVE_KEY, LIVE_PARTITION
from smallbox.times import HOUR, Micros

GRACE: Final[Micros] = HOUR
"""How long a view that nothing needs is kept."""

_ATTEMPTS: Final = 8

ViewVersion = tuple[str, str]
"""A view's name and its version."""


def id_of(view: View) -> ViewVersion:
    """The name and the version of a view."""
    return view.name, version_of(view)


@dataclass(frozen=True, slots=True)
class LiveView:
    """A view version whose states are kept.

    Attributes:
        view: the view.
        since: the revision at which it became live.
        is_ready: whether its states hold all records; otherwise its backfill is still to be done.
        needed_by: the definition and the versions that need it; nothing while it is leaving.
        leaving_since: since when nothing needs it, microseconds.
    """

    view: View
    since: int
    is_ready: bool
    needed_by: tuple[str, ...]
    leaving_since: Micros | None = None

    def as_json(self) -> dict[str, Any]:
        """The view as a document."""
        return {
            "view": freeze_view(self.view),
            "version": version_of(self.view),
            "since": self.since,
            "is_ready": self.is_ready,
            "needed_by": list(self.needed_by),
            "leaving_since": self.leaving_since,
        }


@dataclass(frozen=True, slots=True)
class LiveViews:
    """All live views at one revision; revision 0 has none."""

    revision: int = 0
    by_id: Mapping[ViewVersion, LiveView] = field(default_factory=dict)

    def of_source(self, source: str) -> tuple[View, ...]:
        """The live views that read a source."""
        return tuple(live.view for live in self.by_id.values() if live.view.source.name == source)

    def joined(self, source: str) -> frozenset[tuple[ViewVersion, int]]:
        """What tells whether the live views of a source have changed: each with the revision at which it joined."""
        return frozenset((id_, live.since) for id_, live in self.by_id.items() if live.view.source.name == source)

    def filling(self) -> list[LiveView]:
        """The views that are needed, and whose backfill is still to be done."""
        return [live for live in self.by_id.values() if not live.is_ready and live.leaving_since is None]

    def not_ready(self, views: Iterable[View]) -> list[str]:
        """The names of those of these views that cannot be read: not live, or not filled."""
        return [view.name for view in views if not self._is_ready(view)]

    def _is_ready(self, view: View) -> bool:
        live = self.by_id.get(id_of(view))
        return live is not None and live.is_ready


def check_ready(live: LiveViews, views: Iterable[View]) -> None:
    """Raise unless all these views can be read.

    Raises:
        NotReady: naming the views whose history is not computed yet.
    """
    waiting = live.not_ready(views)
    if waiting:
        raise NotReady(
            f"{', '.join(waiting)}: the view is new or has changed, and its history is not computed yet; run "
            "`smallbox backfill` unless it is running",
            views=waiting,
        )


def _refreshed(live: LiveViews, needs: Mapping[str, Sequence[View]], now: Micros) -> Mapping[ViewVersion, LiveView]:
    needed: dict[ViewVersion, LiveView] = {}
    for who, views in needs.items():
        for view in views:
            own = needed.get(id_of(view)) or replace(_known_or_new(live, view), needed_by=(), leaving_since=None)
            needed[id_of(view)] = replace(own, needed_by=(*own.needed_by, who))
    others = {id_: one for id_, one in live.by_id.items() if id_ not in needed}
    leaving = {id_: _leaving(one, now) for id_, one in others.items() if not _is_over(one, now)}
    return {**needed, **leaving}


def _known_or_new(live: LiveViews, view: View) -> LiveView:
    return live.by_id.get(id_of(view)) or LiveView(view, live.revision + 1, is_ready=False, needed_by=())


def _leaving(one: LiveView, now: Micros) -> LiveView:
    return one if one.leaving_since is not None else replace(one, needed_by=(), leaving_since=now)


def _is_over(one: LiveView, now: Micros) -> bool:
    return one.leaving_since is not None and now - one.leaving_since > GRACE


def _published(live: LiveViews, filled: Collection[tuple[ViewVersion, int]]) -> Mapping[ViewVersion, LiveView]:
    return {id_: replace(one, is_ready=one.is_ready or (id_, one.since) in filled) for id_, one in live.by_id.items()}


class LiveViewStore:
    """Reads and changes the live views, by conditional writes on their revision."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._last = LiveViews()

    def read(self) -> LiveViews:
        """The live views now, by a consistent read; views that this process has seen stay the same objects."""
        document = self._documents.get(LIVE_PARTITION, LIVE_KEY)
        if document is None:
            return LiveViews()
        if document["revision"] != self._last.revision:
            self._last = LiveViews(document["revision"], dict(map(self._thawed, document["views"])))
        return self._last

    def _thawed(self, document: Mapping[str, Any]) -> tuple[ViewVersion, LiveView]:
        view = thaw_view(document["view"])
        known = self._last.by_id.get(id_of(view))
        kept = view if known is None else known.view
        is_usable = version_of(view) == document["version"]  # not after an upgrade that packs states otherwise
        live = LiveView(
            kept,
            document["since"],
            document["is_ready"] and is_usable,
            tuple(document["needed_by"]),
            document["leaving_since"],
        )
        return id_of(kept), live

    def refresh(self, needs: Callable[[], Mapping[str, Sequence[View]]], now: Micros) -> LiveViews:
        """Let needed views join, and let others leave.

        Args:
            needs: gives the views by who needs them: ``definition``, or a version. It is called after the live views
                were read, so that what it reads is not older than they are.
            now: the present.

        Raises:
            Conflict: if concurrent changes made all attempts fail.
        """
        return self._change(lambda live: _refreshed(live, needs(), now))

    def publish(self, filled: Iterable[tuple[ViewVersion, int]]) -> LiveViews:
        """Mark views as ready: those that are still live since the revision at which they were planned.

        Raises:
            Conflict: if concurrent changes made all attempts fail.
        """
        done = set(filled)
        return self._change(lambda live: _published(live, done))

    def _change(self, change: Callable[[LiveViews], Mapping[ViewVersion, LiveView]]) -> LiveViews:
        for _ in range(_ATTEMPTS):
            live = self.read()
            changed = change(live)
            if changed == live.by_id:
                return live
            document = {"views": [one.as_json() for one in changed.values()]}
            try:
                self._documents.swap(LIVE_PARTITION, LIVE_KEY, document, live.revision)
            except Conflict:
                continue
            return self.read()
        raise Conflict(f"the live views were changed by others in all {_ATTEMPTS} attempts; try again")
