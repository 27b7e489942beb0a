"""The live views: the view versions whose online states are kept, as data in the registry.

A view is live while the deployed definition needs it, or a live version of a model does: one that answers requests, or
could answer them by one write. So a changed definition and its predecessor are kept up to date side by side.

The document has a revision. Stream, rebuild and backfill read it after they have received their messages, so that they
follow it without a deployment::

    joins: filling ----(backfill)----> ready ----(nothing needs it)----> leaving ----(an hour)----> dropped

A view that leaves is kept for an hour, longer than any function runs, and no request may be routed to it in the second
half of that hour. So a routing change that has just found it ready cannot lose it. A view that joins again after it was
dropped is filled again: ``since`` tells the two apart.

An upgrade of Smallbox may pack the states of the same view otherwise. Then the document names versions that this code
cannot write. A worker that went on would mark records that these states lack. So all workers of the source wait, and
their messages with them, until the next refresh replaces the view: it joins again and is filled. From then on workers
of the old code wait.
"""

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from smallbox.define.attributes import View
from smallbox.define.frozen_views import freeze_view, thaw_view
from smallbox.errors import Conflict, NotReady, TooLarge
from smallbox.features.online.reads import TRANSACTION_ITEMS
from smallbox.features.online.states import version_of
from smallbox.ports import Documents
from smallbox.registry.live_sources import LIVE_KEY, LIVE_PARTITION
from smallbox.times import HOUR, Micros

GRACE: Final[Micros] = HOUR
"""How long a view that nothing needs is kept."""

MAX_DOCUMENT_BYTES: Final = 390_000
"""The maximum size of the document; an item of DynamoDB has at most 400 KB, with its keys."""

MAX_VIEWS_OF_SOURCE: Final = TRANSACTION_ITEMS - 1
"""The maximum number of live views of a source: one transaction writes a record's marker and its state in each."""

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
    """All live views at one revision; revision 0 has none.

    Attributes:
        revision: the number of changes.
        by_id: the views.
        unknown: for each view whose states only another release of Smallbox can write, its source.
    """

    revision: int = 0
    by_id: Mapping[ViewVersion, LiveView] = field(default_factory=dict)
    unknown: Mapping[ViewVersion, str] = field(default_factory=dict)

    def of_source(self, source: str) -> tuple[View, ...]:
        """The live views that read a source.

        Raises:
            NotReady: if there is one whose states only another release of Smallbox can write.
        """
        _check_known([name for (name, _), of in self.unknown.items() if of == source])
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

    def not_kept(self, views: Iterable[View], now: Micros) -> list[str]:
        """The names of those of these views to which no requests may be routed now: gone, or about to be dropped.

        A view counts as gone after half of its grace. Else another refresh could drop it before the routing is written.
        """
        return [view.name for view in views if not self._is_kept(view, now)]

    def _is_kept(self, view: View, now: Micros) -> bool:
        live = self.by_id.get(id_of(view))
        return live is not None and (live.leaving_since is None or now - live.leaving_since <= GRACE // 2)


def check_ready(live: LiveViews, views: Iterable[View]) -> None:
    """Raise unless all these views can be read.

    Raises:
        NotReady: naming the views whose history is not computed yet.
    """
    waiting = live.not_ready(views)
    if waiting:
        raise NotReady(not_filled(waiting), views=waiting)


def not_filled(views: Sequence[str]) -> str:
    """Why a version that needs these views cannot answer yet."""
    return f"the history of {', '.join(views)} is not computed yet; run `smallbox backfill` unless it is running"


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


def _check_known(unknown: Sequence[str]) -> None:
    if unknown:
        raise NotReady(
            f"{', '.join(unknown)}: another release of Smallbox keeps these states; run `smallbox backfill` once the "
            "deployment is over",
            views=list(unknown),
        )


def _published(live: LiveViews, filled: Collection[tuple[ViewVersion, int]]) -> Mapping[ViewVersion, LiveView]:
    _check_known([name for name, _ in live.unknown])
    return {id_: replace(one, is_ready=one.is_ready or (id_, one.since) in filled) for id_, one in live.by_id.items()}


def _document_of(live: Mapping[ViewVersion, LiveView]) -> dict[str, Any]:
    for source, count in Counter(one.view.source.name for one in live.values()).items():
        if count > MAX_VIEWS_OF_SOURCE:
            raise TooLarge(
                f"source {source} would have {count} live views, and a record can change {MAX_VIEWS_OF_SOURCE}; put "
                "features into fewer views, or wait until versions of models that need other views have left"
            )
    document = {"views": [one.as_json() for one in live.values()]}
    size = len(json.dumps(document))
    if size > MAX_DOCUMENT_BYTES:
        raise TooLarge(
            f"{len(live)} live views need {size // 1000} KB, and their document holds {MAX_DOCUMENT_BYTES // 1000} KB; "
            "put fewer features into the definition, or wait until versions of models that need other views have left"
        )
    return document


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
            self._last = self._thawed(document)
        return self._last

    def _thawed(self, document: Mapping[str, Any]) -> LiveViews:
        by_id, unknown = {}, {}
        for one in document["views"]:
            view = thaw_view(one["view"])
            known = self._last.by_id.get(id_of(view))
            if version_of(view) != one["version"]:
                unknown[view.name, one["version"]] = view.source.name
                continue
            by_id[id_of(view)] = LiveView(
                view if known is None else known.view,
                one["since"],
                one["is_ready"],
                tuple(one["needed_by"]),
                one["leaving_since"],
            )
        return LiveViews(document["revision"], by_id, unknown)

    def refresh(self, needs: Callable[[], Mapping[str, Sequence[View]]], now: Micros) -> LiveViews:
        """Let needed views join, and let others leave.

        Args:
            needs: gives the views by who needs them: ``definition``, or a version. It is called after the live views
                were read, so that what it reads is not older than they are.
            now: the present.

        Raises:
            Conflict: if concurrent changes made all attempts fail.
            TooLarge: if so many views cannot be kept; nothing has changed then.
        """
        return self._change(lambda live: _refreshed(live, needs(), now))

    def publish(self, filled: Iterable[tuple[ViewVersion, int]]) -> LiveViews:
        """Mark views as ready: those that are still live since the revision at which they were planned.

        Raises:
            Conflict: if concurrent changes made all attempts fail.
            NotReady: if another release of Smallbox keeps the states of some views.
        """
        done = set(filled)
        return self._change(lambda live: _published(live, done))

    def _change(self, change: Callable[[LiveViews], Mapping[ViewVersion, LiveView]]) -> LiveViews:
        for _ in range(_ATTEMPTS):
            live = self.read()
            changed = change(live)
            if changed == live.by_id and not live.unknown:
                return live
            document = _document_of(changed)
            try:
                self._documents.swap(LIVE_PARTITION, LIVE_KEY, document, live.revision)
            except Conflict:
                continue
            return self.read()
        raise Conflict(f"the live views were changed by others in all {_ATTEMPTS} attempts; try again")
