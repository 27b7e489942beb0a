"""A dropped file to the lake: good rows in, bad rows to quarantine, a report beside them."""

import json
from dataclasses import asdict, dataclass
from typing import BinaryIO

from smallbox.define.project import Project
from smallbox.define.source import Source
from smallbox.errors import InvalidInput, MalformedBody, SmallboxError, error_body
from smallbox.ingestion.contract import check_all
from smallbox.ingestion.quarantine import Quarantine
from smallbox.ingestion.readers import read_batches
from smallbox.ingestion.table import name_of, to_table
from smallbox.ports import Blobs, Lake, Queue
from smallbox.times import Micros, Moment, format_moment, replayed

PREFIX = "drop"
AS_OF = "as_of="
_PARTS = 3


@dataclass(frozen=True, slots=True)
class DropReport:
    """What became of a dropped file.

    Attributes:
        key: the file's key in the inbox.
        source: the source whose contract its rows were checked against.
        loaded_at: when, ISO 8601.
        accepted: rows in the lake.
        rejected: rows in quarantine.
    """

    key: str
    source: str
    loaded_at: str
    accepted: int
    rejected: int


def moment_of(key: str, now: Micros) -> Moment:
    """The moment as of which a file is loaded: the present, or a past one that a folder ``as_of=...`` names.

    >>> moment_of("drop/weather/as_of=1970-01-01T00:00:01Z/all.csv", now=5_000_000).at
    1000000

    Raises:
        MalformedBody: when the folder names no moment of the past.
    """
    named = [part.removeprefix(AS_OF) for part in key.split("/") if part.startswith(AS_OF)]
    if not named:
        return Moment(now)
    try:
        return replayed(named[0], now)
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
    if len(parts) < _PARTS or parts[0] != PREFIX:
        raise MalformedBody(f"{key!r} is not of the form drop/<source>/<file>; drop it there", key=key)
    return parts[1]


class Loader:
    """Loads one dropped file at a time; loading it again changes nothing that a reader sees."""

    def __init__(self, project: Project, lake: Lake, blobs: Blobs, rebuild: Queue) -> None:
        self._project = project
        self._lake = lake
        self._blobs = blobs
        self._quarantine = Quarantine(blobs)
        self._rebuild = rebuild

    def load(self, key: str, content: BinaryIO, now: Micros) -> DropReport:
        """Check every row, append the good ones, write the report, then have the views rebuilt.

        Raises:
            NotFound: no such source.
            UnsupportedType, MalformedBody: the file cannot be read.
        """
        source = self._project.source(source_of(key))
        moment = moment_of(key, now)
        try:
            accepted, rejected = self._rows(source, key, content, moment.at)
        except InvalidInput:
            self._rebuild_views(source, moment)  # what stood before the break is in the lake
            raise
        report = DropReport(key, source.name, format_moment(moment.at), accepted, rejected)
        self._blobs.put(f"reports/{key}.json", json.dumps(asdict(report)).encode())
        self._rebuild_views(source, moment)
        return report

    def _rebuild_views(self, source: Source, moment: Moment) -> None:
        if self._project.views_of(source.name):
            replayed = {"as_of": moment.at} if moment.is_replayed else {}
            self._rebuild.send([{"source": source.name, **replayed}])

    def refuse(self, key: str, error: SmallboxError) -> None:
        """Write the report of a file that cannot be loaded."""
        self._blobs.put(f"reports/{key}.json", json.dumps({"key": key, **error_body(error)}).encode())

    def _rows(self, source: Source, key: str, content: BinaryIO, received_at: Micros) -> tuple[int, int]:
        accepted = rejected = 0
        name = key.replace("/", "_")
        for first, rows in read_batches(key, content, source):
            records, rejections = check_all(source, rows, received_at, first)
            self._lake.append(name_of(source), to_table(source, records))
            self._quarantine.add(source.name, f"{name}.{first}", rejections, received_at)
            accepted += len(records)
            rejected += len(rejections)
        return accepted, rejected
