"""``ingestion/upkeep``: maintains the lake: updates the ``current`` tables, compacts files, deletes replaced ones.

It also requests a rebuild for records that were too far ahead for the online states and are due now.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from smallbox.define.project import Project
from smallbox.define.source import Source
from smallbox.errors import SmallboxError
from smallbox.lake.catalogue import catalogue
from smallbox.lake.current_rows import bring_forward
from smallbox.lake.names import current_table, records_table
from smallbox.messages.rebuilds import rebuild_due
from smallbox.ports import Lake, Queue
from smallbox.profiles.store import ProfileStore
from smallbox.registry.live_sources import LiveSources
from smallbox.times import Micros, asked_moment, format_moment

MAX_FILES: Final = 200
"""A table with more files is slow to read: opening each takes some milliseconds, on S3 more."""


def why_due(files: Mapping[str, int]) -> str | None:
    """The reason why upkeep is due, in one sentence; ``None`` when it is not due.

    >>> why_due({"records/arrivals": 412, "records/weather": 12})
    'records/arrivals has 412 files, and a reader opens each of them'

    Args:
        files: the number of files of each table.
    """
    many = [f"{table} has {count:,} files" for table, count in files.items() if count > MAX_FILES]
    return f"{' and '.join(many)}, and a reader opens each of them" if many else None


class UpkeepTask:
    """The only writer of the ``current`` tables; it also compacts and vacuums every table of the project.

    Each step is atomic and idempotent, so a run may be killed at any point and repeated. The log of a source is
    vacuumed only after ``current`` includes its rows.
    """

    def __init__(
        self, project: Project, live: LiveSources, lake: Lake, rebuild: Queue, profiles: ProfileStore | None = None
    ) -> None:
        self._project = project
        self._live = live
        self._lake = lake
        self._rebuild = rebuild
        self._profiles = profiles

    def run(self, document: Mapping[str, Any], now: Micros) -> dict[str, Any]:
        """Maintain every table as of the document's ``as_of``, or now; with ``only_when_due`` only if it is due.

        Returns:
            ``as_of``; ``due``: the reason; ``current``: for each source the watermark of its table and the number of
            rows written.

        Raises:
            InvalidInput: when ``as_of`` is not a moment, or is in the future.
            SmallboxError: the first failure, raised after all other tables are done.
        """
        as_of = asked_moment(document, now)
        tables = catalogue(self._project)
        why = why_due({name: self._lake.files(name) for name in tables})
        ask_for_due = partial(self._ask_for_due, {"as_of": as_of} if "as_of" in document else {})
        if document.get("only_when_due") and why is None:
            ask_for_due()
            return {"as_of": format_moment(as_of), "due": why, "current": {}}
        standing: dict[str, Any] = {}
        sources = self._project.sources.values()
        own = {table for source in sources for table in (records_table(source), current_table(source))}
        works = [partial(self._source, source, as_of, standing) for source in sources]
        works += [partial(self._tidy, name) for name in tables if name not in own]
        works += [ask_for_due, partial(self._gather_profiles)]
        failures = [error for work in works if (error := _failure(work))]
        if failures:
            raise failures[0]
        return {"as_of": format_moment(as_of), "due": why, "current": standing}

    def _source(self, source: Source, as_of: Micros, standing: dict[str, Any]) -> None:
        stands = bring_forward(source, self._lake, as_of)
        if stands is not None:
            standing[source.name] = {"as_of": format_moment(stands.as_of), "written": stands.written}
        self._tidy(records_table(source))
        self._tidy(current_table(source))

    def _ask_for_due(self, replayed: Mapping[str, Micros]) -> None:
        # a source that was removed from the definition may still have views that leave
        names = sorted(self._live.names().intersection(self._project.sources))
        self._rebuild.send([{**rebuild_due(name), **replayed} for name in names])

    def _gather_profiles(self) -> None:
        if self._profiles is not None:
            self._profiles.gather()

    def _tidy(self, table: str) -> None:
        self._lake.compact(table)
        self._lake.vacuum(table)


def _failure(work: Callable[[], None]) -> SmallboxError | None:
    try:
        work()
    except SmallboxError as error:
        return error
    return None
