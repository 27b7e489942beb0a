"""The backfill of views that have joined: plan parts, compute each part, then publish all views in one step.

The plan reads the deployed definition and the live versions, and lets views join and leave. The stream keeps running
and adds records to the new views from then on. A part recomputes the states of some entities from the lake and writes
them by conditional writes. See :mod:`smallbox.features.online.rebuilder` for why no record is counted twice or missed.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from smallbox.define.project import Project
from smallbox.errors import NotFound
from smallbox.features.live_needs import refresh_live_views
from smallbox.features.live_views import LiveView, LiveViews, LiveViewStore, id_of
from smallbox.features.online.apply import Pause
from smallbox.features.online.rebuilder import EntityShard, Rebuilder
from smallbox.messages.rebuilds import rebuild_set_aside
from smallbox.ports import Lake, OnlineStore, Queue
from smallbox.registry.contracts import Contracts
from smallbox.registry.store import Registry
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
        project: the deployed definition.
        registry: the versions, whose views are kept too.
        contracts: where a deployment is recorded.
        live: the live views.
        lake: the records.
        store: the states.
        rebuild: the queue of rebuild requests, for oversized states.
        pause: waits before a retry.
    """

    project: Project
    registry: Registry
    contracts: Contracts
    live: LiveViewStore
    lake: Lake
    store: OnlineStore
    rebuild: Queue
    pause: Pause

    def run(self, step: str, document: Document, now: Micros) -> dict[str, Any]:
        """Run a step: ``plan``, ``fill`` (one part), or ``publish``.

        With ``as_of`` in the document (a replay's simulated time), history is computed as of then instead of ``now``.
        """
        moment = asked_moment(document, now)
        if step == "plan":
            return self.plan(document, moment, now)
        return self.fill(document, moment) if step == "fill" else self.publish(document)

    def plan(self, document: Document, moment: Micros, now: Micros) -> dict[str, Any]:
        """Record the deployment, let views join and leave, then plan the parts of those that are not filled yet.

        With ``views`` in the document, all live versions of these views.

        Args:
            document: the request.
            moment: the moment as of which history is computed.
            now: the present.

        Raises:
            NotFound: if there is no such view.
        """
        self.contracts.record(self.project, now)
        live = refresh_live_views(self.project, self.registry, self.live, now)
        chosen = live.filling() if document.get("views") is None else list(self._named(live, document["views"]))
        passed = {"as_of": document["as_of"]} if "as_of" in document else {}
        parts = [{**part, **passed} for part in self._parts(live, chosen, moment)]
        return {**passed, "views": [_planned(one) for one in chosen], "parts": parts}

    def _named(self, live: LiveViews, names: Sequence[str]) -> Iterator[LiveView]:
        for name in dict.fromkeys(names):
            found = [one for one in live.by_id.values() if one.view.name == name]
            if not found:
                known = ", ".join(sorted({one.view.name for one in live.by_id.values()})) or "none"
                raise NotFound(f"there is no view {name!r}; there is {known}", view=name)
            yield from found

    def _parts(self, live: LiveViews, chosen: Sequence[LiveView], moment: Micros) -> list[dict[str, Any]]:
        parts = []
        for source in dict.fromkeys(one.view.source.name for one in chosen):
            of_source = [_planned(one) for one in chosen if one.view.source.name == source]
            rows = self._rebuilder(live, source).rows(moment)
            count = min(math.ceil(rows / ROWS_PER_PART), MAX_PARTS)
            parts += [{"source": source, "views": of_source, "part": at, "of": count} for at in range(count)]
        return parts

    def _rebuilder(self, live: LiveViews, source: str) -> Rebuilder:
        return Rebuilder(self.project.source(source), live.of_source(source), self.lake, self.store, self.pause)

    def fill(self, document: Document, moment: Micros) -> dict[str, Any]:
        """Compute one part; idempotent. Views that have left since the plan are left out.

        Raises:
            Conflict: if concurrent writes of its states exhausted all attempts.
        """
        live, source = self.live.read(), document["source"]
        planned = {(view["name"], view["version"]) for view in document["views"]}
        views = [view for view in live.of_source(source) if id_of(view) in planned]
        part = EntityShard(document["part"], document["of"])
        rebuilt = self._rebuilder(live, source).fill(views, part, moment)
        replayed = {"as_of": moment} if "as_of" in document else {}
        self.rebuild.send([{**message, **replayed} for message in rebuild_set_aside(source, rebuilt.set_aside)])
        return {"states": rebuilt.states, "set_aside": len(rebuilt.set_aside)}

    def publish(self, document: Document) -> dict[str, Any]:
        """Make the planned views readable, unless they have left or joined again meanwhile."""
        planned = [((view["name"], view["version"]), view["since"]) for view in document["views"]]
        self.live.publish(planned)
        return {
            "readable": {name: version for (name, version), _ in planned},
            "states": sum(filled["states"] for filled in document.get("filled", ())),
        }


def _planned(one: LiveView) -> dict[str, Any]:
    name, version = id_of(one.view)
    return {"name": name, "version": version, "since": one.since}
