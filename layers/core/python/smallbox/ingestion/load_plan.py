"""Working folder of a large drop: its plan, its parts, and the result of each part.

    parts/<drop>/00000.csv, ...   the parts
    parts/<drop>/00000.lines, ... line numbers of their rows, 64-bit integers; empty for Parquet
    parts/<drop>/plan.json        written after all parts
    parts/<drop>/00000.json, ...  result of each part; when all exist, the file is loaded

The JSON files stay until the bucket's lifecycle rule deletes them, so that a message that is redelivered late still
finds its part done.
"""

import hashlib
import json
import re
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from smallbox.errors import Conflict, NotFound
from smallbox.ingestion.file_parts import FilePart
from smallbox.ingestion.part_loader import RowCounts
from smallbox.ingestion.readers import kind_of
from smallbox.ports import Blobs, StoredObject
from smallbox.times import Micros

PARTS_PREFIX: Final = "parts"

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]")
_SHOWN: Final = 80


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """Plan for loading a dropped file: everything that its rows and its report depend on.

    Attributes:
        key: the file's key.
        source: the name of its source.
        at: when its rows were received, microseconds.
        is_replayed: whether the file's folder named that moment.
        firsts: the number of the first row of each part.
        error: why the file could not be read to its end, as an error body; ``None`` when it could.
        after: the last commit of the source's table before any row was loaded; -1 when there was none.
    """

    key: str
    source: str
    at: Micros
    is_replayed: bool
    firsts: Sequence[int]
    error: Mapping[str, Any] | None
    after: int = -1


def folder_of(key: str, stored: StoredObject) -> str:
    """The working folder of a drop; each upload of a key has its own."""
    name = json.dumps([key, stored.at, stored.tag])
    return f"{PARTS_PREFIX}/{hashlib.blake2b(name.encode(), digest_size=16).hexdigest()}"


def quarantine_folder_of(key: str, folder: str) -> str:
    """The folder of a drop's rejected rows in quarantine: the file's name for people, and the drop's unique id.

    >>> quarantine_folder_of("drop/weather/2013/all of it.csv", "parts/7f")
    'all_of_it.csv-7f'
    """
    return f"{_UNSAFE.sub('_', key.rpartition('/')[2])[:_SHOWN]}-{folder.removeprefix(f'{PARTS_PREFIX}/')}"


class DropFolder:
    """The working folder of one drop.

    Args:
        inbox: the bucket.
        path: the folder's key, from :func:`folder_of`.
    """

    def __init__(self, inbox: Blobs, path: str) -> None:
        self._inbox = inbox
        self.path = path

    def plan(self) -> LoadPlan | None:
        """The plan; ``None`` before all parts are written."""
        try:
            return LoadPlan(**json.loads(self._inbox.get(f"{self.path}/plan.json")))
        except NotFound:
            return None

    def write(self, plan: LoadPlan) -> None:
        """Write the plan."""
        self._inbox.put(f"{self.path}/plan.json", json.dumps(asdict(plan)).encode())

    def keep(self, key: str, parts: Iterable[FilePart]) -> list[int]:
        """Write the parts of a file, one after the other; returns the number of the first row of each."""
        firsts = []
        for number, part in enumerate(parts):
            self._inbox.put(self._part_key(key, number), part.content)
            self._inbox.put(self._lines_key(number), part.lines.tobytes())
            firsts.append(part.first)
        return firsts

    def part(self, plan: LoadPlan, number: int) -> FilePart:
        """Read a part.

        Raises:
            Conflict: when it is deleted already, because all parts are done.
        """
        key = self._part_key(plan.key, number)
        try:
            lines = array("q", self._inbox.get(self._lines_key(number)))
            return FilePart(plan.firsts[number], lines, self._inbox.get(key))
        except NotFound as error:
            raise Conflict(f"{key!r} is gone because another worker has loaded it; retry", key=key) from error

    def report(self, number: int, counts: RowCounts) -> None:
        """Write the result of a part."""
        self._inbox.put(self._report_key(number), json.dumps(asdict(counts)).encode())

    def done(self) -> set[int]:
        """The numbers of the parts that are done."""
        names = (key.removeprefix(f"{self.path}/") for key in self._inbox.list(f"{self.path}/"))
        return {int(stem) for stem, _, ending in (name.partition(".") for name in names) if _is_report(stem, ending)}

    def counts(self, plan: LoadPlan) -> Sequence[RowCounts]:
        """The results of all parts."""
        return [RowCounts(**json.loads(self._inbox.get(self._report_key(n)))) for n in range(len(plan.firsts))]

    def clear(self, plan: LoadPlan) -> None:
        """Delete the parts; the plan and the results stay."""
        for number in range(len(plan.firsts)):
            self._inbox.delete(self._part_key(plan.key, number))
            self._inbox.delete(self._lines_key(number))

    def _part_key(self, key: str, number: int) -> str:
        return f"{self.path}/{number:05d}.{kind_of(key)}"

    def _lines_key(self, number: int) -> str:
        return f"{self.path}/{number:05d}.lines"

    def _report_key(self, number: int) -> str:
        return f"{self.path}/{number:05d}.json"


def _is_report(stem: str, ending: str) -> bool:
    return stem.isdigit() and ending == "json"
