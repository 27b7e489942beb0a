"""A dropped file through the loader: cut into parts where it is large, loaded by whoever is free, reported once.

Everything that is written is the same whoever writes it and however often. Work is handed on only after what it needs
is there, and what was needed goes only after the report: a worker that dies at any step is made up for by the message
that comes back.

A drop is one content of a key: dropping a key again, or another content under it, is another drop.
"""

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import chain, islice
from typing import Any, BinaryIO, Final

from smallbox.define.project import Project
from smallbox.errors import Conflict, MalformedBody, SmallboxError, error_body, policy_of
from smallbox.ingestion.loader import PartLoader, RowCounts
from smallbox.ingestion.parts import Cutting, FilePart, Sizes
from smallbox.ingestion.plan import LoadPlan, Shelf, folder_of, quarantine_folder_of
from smallbox.lake.names import records_table
from smallbox.messages.rebuilds import rebuild_loaded
from smallbox.ports import Blobs, Lake, Queue, StoredObject
from smallbox.times import SECOND, Micros, Moment, format_moment, replayed

DROP_PREFIX: Final = "drop"
AS_OF: Final = "as_of="
_LEVELS: Final = 3
_USUAL: Final = Sizes()


@dataclass(frozen=True, slots=True)
class DropReport:
    """What became of a dropped file.

    Attributes:
        key: the file's key in the inbox.
        source: the source whose contract its rows were checked against.
        loaded_at: the moment as of which its rows were received, ISO 8601.
        accepted: rows in the lake.
        rejected: rows in quarantine.
        parts: how many parts it was loaded in.
    """

    key: str
    source: str
    loaded_at: str
    accepted: int
    rejected: int
    parts: int


def drop_moment(key: str, stored_at: Micros) -> Moment:
    """The moment as of which a file is loaded: when it was stored, or a past one that a folder ``as_of=...`` names.

    >>> drop_moment("drop/weather/as_of=1970-01-01T00:00:01Z/all.csv", stored_at=5_000_000).at
    1000000

    Raises:
        MalformedBody: when the folder names no moment of the past.
    """
    named = [part.removeprefix(AS_OF) for part in key.split("/") if part.startswith(AS_OF)]
    if not named:
        return Moment(stored_at)
    try:
        # the store knows its moment to the second, rounded down
        return replayed(named[0], stored_at + SECOND)
    except ValueError as error:
        raise MalformedBody(f"{key!r}: {error}; name a past moment, ISO 8601 with its offset", key=key) from error


def source_of(key: str) -> str:
    """The source that a dropped file belongs to: ``drop/<source>/...``.

    >>> source_of("drop/weather/2013/january.csv")
    'weather'

    Raises:
        MalformedBody: when the key has no such form.
    """
    parts = key.split("/")
    if len(parts) < _LEVELS or parts[0] != DROP_PREFIX:
        raise MalformedBody(f"{key!r} is not of the form drop/<source>/<file>; drop it there", key=key)
    return parts[1]


class LoadTask:
    """What a worker does with a dropped file, or with a part of one.

    Args:
        project: the sources, and the views to rebuild.
        lake: where good rows go.
        blobs: where quarantine and reports are.
        inbox: where files are dropped, and where parts of large ones wait.
        drops: brings the parts to the workers.
        rebuild: asks for the states that a file touches anew.
        sizes: how large parts are.
    """

    def __init__(
        self,
        project: Project,
        lake: Lake,
        blobs: Blobs,
        inbox: Blobs,
        drops: Queue,
        rebuild: Queue,
        sizes: Sizes = _USUAL,
    ) -> None:
        self._project = project
        self._lake = lake
        self._loader = PartLoader(lake, blobs, sizes.batch)
        self._blobs = blobs
        self._inbox = inbox
        self._drops = drops
        self._rebuild = rebuild
        self._sizes = sizes

    def take(self, key: str) -> None:
        """Load a small file, or cut a large one and hand its parts out.

        A file that cannot be read, or not to its end, has that in its report. What stood before is loaded.

        Raises:
            NotFound: when the file is gone.
            SmallboxError: when trying again may help.
        """
        with tempfile.TemporaryFile() as content:
            stored = self._inbox.download(key, content)
            with self._reported(key):
                self._load_or_cut(key, content, stored)

    def take_part(self, message: Mapping[str, Any]) -> None:
        """Load the part that a message of :meth:`take` names; the last part to be done makes the report.

        Raises:
            Conflict: when the part is gone; a worker that did it at the same time has left its result by the next try.
            SmallboxError: when trying again may help.
        """
        shelf = Shelf(self._inbox, message["folder"])
        plan = shelf.plan()
        if plan is None:
            raise Conflict(f"the parts of {message['key']!r} are gone; drop the file again", key=message["key"])
        with self._reported(plan.key):
            if message["number"] not in shelf.done():
                counts = self._load(shelf, plan, shelf.part(plan, message["number"]))
                shelf.report(message["number"], counts)
            self._finish_when_done(shelf, plan)

    def _load_or_cut(self, key: str, content: BinaryIO, stored: StoredObject) -> None:
        source, moment = self._project.source(source_of(key)), drop_moment(key, stored.at)
        shelf = Shelf(self._inbox, folder_of(key, stored))
        plan = shelf.plan()
        if plan is None:
            version = self._lake.version(records_table(source))
            after = -1 if version is None else version
            cutting = Cutting(key, content, self._sizes)
            parts = cutting.parts()
            first = list(islice(parts, 2))
            is_small = len(first) < 2  # noqa: PLR2004 - one part needs nobody else
            firsts = [part.first for part in first] if is_small else shelf.keep(key, chain(first, parts))
            error = None if cutting.error is None else error_body(cutting.error)["error"]
            plan = LoadPlan(key, source.name, moment.at, moment.is_replayed, firsts, error, after)
            if is_small:
                self._finish(plan, [self._load(shelf, plan, part) for part in first])
                return
            shelf.write(plan)
        self._hand_out(shelf, plan)

    def _hand_out(self, shelf: Shelf, plan: LoadPlan) -> None:
        """Send a message for each part that is not done; none, when a worker died after the last one."""
        done = shelf.done()
        waiting = [number for number in range(len(plan.firsts)) if number not in done]
        self._drops.send([{"key": plan.key, "folder": shelf.folder, "number": number} for number in waiting])
        if not waiting:
            self._finish_when_done(shelf, plan)

    def _load(self, shelf: Shelf, plan: LoadPlan, part: FilePart) -> RowCounts:
        folder = quarantine_folder_of(plan.key, shelf.folder)
        return self._loader.load(self._project.source(plan.source), plan.key, folder, part, plan.at)

    def _finish_when_done(self, shelf: Shelf, plan: LoadPlan) -> None:
        # The own result is written before one looks: of two last workers at least one sees both results.
        if len(shelf.done()) == len(plan.firsts):
            self._finish(plan, shelf.counts(plan))
            shelf.clear(plan)

    def _finish(self, plan: LoadPlan, counts: Sequence[RowCounts]) -> None:
        """Write the report, then ask for the states that the rows touch."""
        total = RowCounts.total(counts)
        loaded_at = format_moment(plan.at)
        report = DropReport(plan.key, plan.source, loaded_at, total.accepted, total.rejected, len(plan.firsts))
        error = {} if plan.error is None else {"error": _told(plan.error, total)}
        self._write_report(plan.key, asdict(report) | error)
        if plan.firsts and self._project.views_of(plan.source):
            replayed_at = {"as_of": plan.at} if plan.is_replayed else {}
            self._rebuild.send([{**rebuild_loaded(plan.source, plan.at, plan.after), **replayed_at}])

    @contextmanager
    def _reported(self, key: str) -> Iterator[None]:
        """Report what trying again cannot mend instead of raising it."""
        try:
            yield
        except SmallboxError as error:
            if policy_of(error).delivery == "retry":
                raise
            self._write_report(key, {"key": key, **error_body(error)})

    def _write_report(self, key: str, report: Mapping[str, Any]) -> None:
        self._blobs.put(f"reports/{key}.json", json.dumps(report).encode())


def _told(error: Mapping[str, Any], counts: RowCounts) -> Mapping[str, Any]:
    """The error, with what became of the rows before it."""
    if counts == RowCounts():
        return error
    before = f"of the rows before that {counts.accepted} are loaded and {counts.rejected} rejected"
    return {**error, "message": f"{error['message']}; {before}; mend the file and drop it again"}
