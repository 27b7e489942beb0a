"""``ingestion/load``: loads a dropped file. A large file is split into parts that workers load in parallel.

Every write is idempotent. A message is sent only after everything that it needs is written, and temporary objects are
deleted only after the report is written. So if a worker dies at any step, the redelivered message continues.

A drop is one upload of one file: uploading the key again, with the same or another content, is another drop.
"""

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import chain, islice
from typing import Any, BinaryIO, Final

from smallbox.define.project import Project
from smallbox.error_codes import error_body, policy_of
from smallbox.errors import Conflict, MalformedBody, SmallboxError
from smallbox.ingestion.file_parts import FilePart, FileSplitter, Sizes
from smallbox.ingestion.load_plan import DropFolder, LoadPlan, drop_folder, drop_path, quarantine_folder_of
from smallbox.ingestion.part_loader import PartLoader, RowCounts
from smallbox.ingestion.profiled_records import RecordProfiles
from smallbox.lake.names import records_table
from smallbox.messages.rebuilds import rebuild_loaded
from smallbox.ports import Blobs, Lake, Queue, StoredObject
from smallbox.registry.live_sources import LiveSources
from smallbox.times import SECOND, Micros, Moment, format_moment, replayed

DROP_PREFIX: Final = "drop"
AS_OF: Final = "as_of="
_LEVELS: Final = 3
_USUAL: Final = Sizes()


@dataclass(frozen=True, slots=True)
class DropReport:
    """Result of loading a dropped file.

    Attributes:
        key: the file's key in the inbox.
        source: the source whose contract its rows were validated against.
        loaded_at: the rows' time of receipt, ISO 8601.
        accepted: number of rows in the lake.
        rejected: number of rows in quarantine.
        parts: number of parts in which it was loaded.
    """

    key: str
    source: str
    loaded_at: str
    accepted: int
    rejected: int
    parts: int


def drop_moment(key: str, stored_at: Micros) -> Moment:
    """The rows' time of receipt: when the file was stored, or the past moment of a folder ``as_of=...`` (a replay).

    >>> drop_moment("drop/weather/as_of=1970-01-01T00:00:01Z/all.csv", stored_at=5_000_000).at
    1000000

    Raises:
        MalformedBody: when the folder does not name a past moment.
    """
    named = [part.removeprefix(AS_OF) for part in key.split("/") if part.startswith(AS_OF)]
    if not named:
        return Moment(stored_at)
    try:
        # the store rounds its time down to the second
        return replayed(named[0], stored_at + SECOND)
    except ValueError as error:
        raise MalformedBody(f"{key!r}: {error}; name a past moment, ISO 8601 with an offset", key=key) from error


def source_of(key: str) -> str:
    """The source of a dropped file, from its key ``drop/<source>/...``.

    >>> source_of("drop/weather/2013/january.csv")
    'weather'

    Raises:
        MalformedBody: when the key does not have that form.
    """
    parts = key.split("/")
    if len(parts) < _LEVELS or parts[0] != DROP_PREFIX:
        raise MalformedBody(f"{key!r} is not of the form drop/<source>/<file>; drop it there", key=key)
    return parts[1]


class LoadTask:
    """Loads a dropped file, or one part of it.

    Args:
        project: the sources, and the views to rebuild.
        lake: gets the accepted rows.
        blobs: holds quarantine and reports.
        inbox: holds the dropped files, and the parts of large ones.
        drops: the queue of parts for the workers.
        rebuild: the queue of requests to rebuild the online states that a file affects.
        sizes: sizes of batches and parts.
        profiles: of the accepted rows; ``None`` keeps none.
    """

    def __init__(
        self,
        project: Project,
        live: LiveSources,
        lake: Lake,
        blobs: Blobs,
        inbox: Blobs,
        drops: Queue,
        rebuild: Queue,
        sizes: Sizes = _USUAL,
        *,
        profiles: RecordProfiles | None = None,
    ) -> None:
        self._project = project
        self._live = live
        self._lake = lake
        self._loader = PartLoader(lake, blobs, sizes.batch, profiles)
        self._blobs = blobs
        self._inbox = inbox
        self._drops = drops
        self._rebuild = rebuild
        self._sizes = sizes

    def take(self, key: str) -> None:
        """Load a small file, or split a large one and queue its parts.

        If the file cannot be read to its end, the rows before the error are loaded, and the report names the error.

        Raises:
            NotFound: when the file does not exist any more.
            SmallboxError: when a retry may help.
        """
        with tempfile.TemporaryFile() as content:
            stored = self._inbox.download(key, content)
            with self._reported(key):
                self._load_or_cut(key, content, stored)

    def take_part(self, message: Mapping[str, Any]) -> None:
        """Load the part that a message of :meth:`take` names; the worker of the last part writes the report.

        Raises:
            Conflict: when another worker has loaded the part at the same time; a retry finds its result.
            SmallboxError: when a retry may help.
        """
        folder = drop_folder(self._inbox, message["folder"])
        plan = folder.plan()
        if plan is None:
            raise Conflict(f"the parts of {message['key']!r} are gone; drop the file again", key=message["key"])
        with self._reported(plan.key):
            if message["number"] not in folder.done():
                counts = self._load(folder, plan, folder.part(plan, message["number"]))
                folder.report(message["number"], counts)
            self._finish_when_done(folder, plan)

    def _load_or_cut(self, key: str, content: BinaryIO, stored: StoredObject) -> None:
        source, moment = self._project.source(source_of(key)), drop_moment(key, stored.at)
        folder = drop_folder(self._inbox, drop_path(key, stored))
        plan = folder.plan()
        if plan is None:
            version = self._lake.version(records_table(source))
            after = -1 if version is None else version
            splitter = FileSplitter(key, content, self._sizes)
            parts = splitter.parts()
            first = list(islice(parts, 2))
            is_small = len(first) < 2  # noqa: PLR2004 - one part needs no other worker
            firsts = [part.first for part in first] if is_small else folder.keep(key, chain(first, parts))
            error = None if splitter.error is None else error_body(splitter.error)["error"]
            plan = LoadPlan(key, source.name, moment.at, moment.is_replayed, firsts, error, after)
            if is_small:
                self._finish(plan, [self._load(folder, plan, part) for part in first])
                return
            folder.write(plan)
        self._queue_parts(folder, plan)

    def _queue_parts(self, folder: DropFolder, plan: LoadPlan) -> None:
        """Send a message for each part that is not done; finish if a worker died after the last part."""
        done = folder.done()
        waiting = [number for number in range(len(plan.firsts)) if number not in done]
        self._drops.send([{"key": plan.key, "folder": folder.path, "number": number} for number in waiting])
        if not waiting:
            self._finish_when_done(folder, plan)

    def _load(self, folder: DropFolder, plan: LoadPlan, part: FilePart) -> RowCounts:
        quarantine_folder = quarantine_folder_of(plan.key, folder.path)
        return self._loader.load(self._project.source(plan.source), plan.key, quarantine_folder, part, plan.at)

    def _finish_when_done(self, folder: DropFolder, plan: LoadPlan) -> None:
        # No race: each worker writes its own result before it lists all results, so at least one of the last two
        # workers sees both.
        if len(folder.done()) == len(plan.firsts):
            self._finish(plan, folder.results(plan))
            folder.clear(plan)

    def _finish(self, plan: LoadPlan, counts: Sequence[RowCounts]) -> None:
        """Write the report, then request a rebuild of the online states that the rows affect."""
        total = RowCounts.total(counts)
        loaded_at = format_moment(plan.at)
        report = DropReport(plan.key, plan.source, loaded_at, total.accepted, total.rejected, len(plan.firsts))
        error = {} if plan.error is None else {"error": _with_counts(plan.error, total)}
        self._write_report(plan.key, asdict(report) | error)
        if plan.firsts and plan.source in self._live.names():
            replayed_at = {"as_of": plan.at} if plan.is_replayed else {}
            self._rebuild.send([{**rebuild_loaded(plan.source, plan.at, plan.after), **replayed_at}])

    @contextmanager
    def _reported(self, key: str) -> Iterator[None]:
        """Write an error that a retry cannot fix to the report, instead of raising it."""
        try:
            yield
        except SmallboxError as error:
            if policy_of(error).delivery == "retry":
                raise
            self._write_report(key, {"key": key, **error_body(error)})

    def _write_report(self, key: str, report: Mapping[str, Any]) -> None:
        self._blobs.put(f"reports/{key}.json", json.dumps(report).encode())


def _with_counts(error: Mapping[str, Any], counts: RowCounts) -> Mapping[str, Any]:
    """The error, its message extended by the number of rows loaded before it."""
    if counts == RowCounts():
        return error
    before = f"of the rows before that {counts.accepted} are loaded and {counts.rejected} rejected"
    return {**error, "message": f"{error['message']}; {before}; correct the file and drop it again"}
