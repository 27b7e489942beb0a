"""The backfill of new and changed views: plan parts, compute each part, then publish all views in one step.

The stream keeps running and also writes states of the new version, for records after the deployment. A part recomputes
the states of some entities from the lake and writes them by conditional writes. See
:mod:`smallbox.features.online.rebuilder` for why no record is counted twice or missed.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from smallbox.define.attributes import View
from smallbox.define.project import Project
from smallbox.errors import NotReady
from smallbox.features.online.apply import Pause
from smallbox.features.online.readiness import publish, readable
from smallbox.features.online.rebuilder import EntityShard, Rebuilder
from smallbox.features.online.states import version_of
from smallbox.lake.names import records_table
from smallbox.messages.rebuilds import LATER_DELAY, RebuildRequest, rebuild_set_aside
from smallbox.ports import Lake, OnlineStore, Queue
from smallbox.times import Micros, asked_moment

ROWS_PER_PART: Final = 500_000
"""Target size of a part. Every part reads all rows within the windows, and computes its share of the entities."""
MAX_PARTS: Final = 64
"""The maximum number of parts; above it, parts get larger."""

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class BackfillTask:
    """The steps of the backfill's state machine.

    Attributes:
        project: the views.
        lake: the records.
        store: the states.
        rebuild: the queue of rebuild requests, for oversized states and later corrections.
        pause: waits before a retry.
    """

    project: Project
    lake: Lake
    store: OnlineStore
    rebuild: Queue
    pause: Pause

    def run(self, step: str, document: Document, now: Micros) -> dict[str, Any]:
        """Run a step: ``plan``, ``fill`` (one part), or ``publish``.

        With ``as_of`` in the document (a replay's simulated time), history is computed as of then instead of ``now``.
        """
        steps = {"plan": self.plan, "fill": self.fill, "publish": self.publish}
        return steps[step](document, asked_moment(document, now))

    def plan(self, document: Document, now: Micros) -> dict[str, Any]:
        """Plan the parts for ``document["views"]``, or by default for every view whose version is not readable.

        With ``only_new`` in the document, only views whose source has no records yet.

        Raises:
            NotFound: if there is no such view.
        """
        named = document.get("views")
        known = readable(self.store)
        stale = [v for v in self.project.views.values() if known.get(v.name) != version_of(v)]
        views = stale if named is None else [self.project.view(name) for name in dict.fromkeys(named)]
        if document.get("only_new"):
            views = [view for view in views if self.lake.version(records_table(view.source)) is None]
        passed = {"as_of": document["as_of"]} if "as_of" in document else {}
        parts = [{**part, **passed} for part in self._parts(views, now)]
        return {**passed, "versions": {view.name: version_of(view) for view in views}, "parts": parts}

    def _parts(self, views: Sequence[View], now: Micros) -> list[dict[str, Any]]:
        parts = []
        for source in {view.source.name: view.source for view in views}.values():
            of_source = [view for view in views if view.source is source]
            every = self.project.views_of(source.name)
            rows = Rebuilder(source, every, self.lake, self.store, self.pause).rows(now)
            count = min(math.ceil(rows / ROWS_PER_PART), MAX_PARTS)
            versions = {view.name: version_of(view) for view in of_source}
            parts += [{"source": source.name, "versions": versions, "part": at, "of": count} for at in range(count)]
        return parts

    def fill(self, document: Document, now: Micros) -> dict[str, Any]:
        """Compute one part; idempotent.

        Raises:
            Conflict: if concurrent writes of its states exhausted all attempts.
            NotReady: as :meth:`publish`.
        """
        source = self.project.source(document["source"])
        every = self.project.views_of(source.name)
        views = self._planned(document["versions"])
        rebuilder = Rebuilder(source, every, self.lake, self.store, self.pause)
        part = EntityShard(document["part"], document["of"])
        rebuilt = rebuilder.fill(views, part, now, whole=len(views) == len(every))
        replayed = {"as_of": now} if "as_of" in document else {}
        self.rebuild.send([{**message, **replayed} for message in rebuild_set_aside(source.name, rebuilt.set_aside)])
        if not replayed:  # the time of a replay stands still
            self.rebuild.send(
                [part.as_json() for part in RebuildRequest(source.name, rebuilt.later).parts()], LATER_DELAY
            )
        return {"states": rebuilt.states, "set_aside": len(rebuilt.set_aside)}

    def publish(self, document: Document, _now: Micros) -> dict[str, Any]:
        """Make the planned versions readable.

        Raises:
            NotReady: if a deployment changed the views meanwhile: start again.
        """
        planned = document["versions"]
        self._planned(planned)
        if planned:
            publish(self.store, planned, self.pause)
        return {"readable": planned, "states": sum(filled["states"] for filled in document.get("filled", ()))}

    def _planned(self, versions: Mapping[str, str]) -> list[View]:
        """The views of a plan; raise unless this code has the planned versions."""
        views = self.project.views
        changed = [
            name for name, version in versions.items() if name not in views or version_of(views[name]) != version
        ]
        if changed:
            raise NotReady(f"{', '.join(changed)} changed while its history was computed; run the backfill again")
        return [views[name] for name in versions]
