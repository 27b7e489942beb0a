"""A large drop under way: its plan, its parts, and what became of each.

    parts/<drop>/00000.csv, ...   the parts
    parts/<drop>/00000.lines, ... the lines on which their rows begin, 64 bits each; none of Parquet
    parts/<drop>/plan.json        written when all of them are there
    parts/<drop>/00000.json, ...  what became of a part; when the last one is there, the file is done

The small documents stay until the bucket's lifecycle rule takes them, so that a message that is delivered again finds
its part done, however late it is.
"""

import hashlib
import json
import re
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from smallbox.errors import Conflict, NotFound
from smallbox.ingestion.loader import RowCounts
from smallbox.ingestion.parts import FilePart
from smallbox.ingestion.readers import kind_of
from smallbox.ports import Blobs, StoredObject
from smallbox.times import Micros

PARTS_PREFIX: Final = "parts"

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]")
_SHOWN: Final = 80


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """What is to be done for a dropped file: all that its report and its rows depend on.

    Attributes:
        key: the file's key.
        source: the name of its source.
        at: when its rows were received.
        is_replayed: whether its folder named that moment.
        firsts: for each part the number of its first row.
        error: why the file could not be read to its end, as in an answer's body; ``None`` when it could.
        after: the number of the last commit of the source's table before any row was loaded; -1: there was none.
    """

    key: str
    source: str
    at: Micros
    is_replayed: bool
    firsts: Sequence[int]
    error: Mapping[str, Any] | None
    after: int = -1


def folder_of(key: str, stored: StoredObject) -> str:
    """Where the parts of a drop lie: another content, or the same one dropped again, lies elsewhere."""
    name = json.dumps([key, stored.at, stored.tag])
    return f"{PARTS_PREFIX}/{hashlib.blake2b(name.encode(), digest_size=16).hexdigest()}"


def quarantine_folder_of(key: str, folder: str) -> str:
    """Where the rejected rows of a drop lie in quarantine: the file's name, for people, and what tells the drop apart.

    >>> quarantine_folder_of("drop/weather/2013/all of it.csv", "parts/7f")
    'all_of_it.csv-7f'
    """
    return f"{_UNSAFE.sub('_', key.rpartition('/')[2])[:_SHOWN]}-{folder.removeprefix(f'{PARTS_PREFIX}/')}"


class Shelf:
    """The folder of one drop."""

    def __init__(self, inbox: Blobs, folder: str) -> None:
        self._inbox = inbox
        self.folder = folder

    def plan(self) -> LoadPlan | None:
        """The plan; ``None`` before all parts are there."""
        try:
            return LoadPlan(**json.loads(self._inbox.get(f"{self.folder}/plan.json")))
        except NotFound:
            return None

    def write(self, plan: LoadPlan) -> None:
        """Write the plan."""
        self._inbox.put(f"{self.folder}/plan.json", json.dumps(asdict(plan)).encode())

    def keep(self, key: str, parts: Iterable[FilePart]) -> list[int]:
        """Write the parts of a file, one after the other; the number of the first row of each."""
        firsts = []
        for number, part in enumerate(parts):
            self._inbox.put(self._part_key(key, number), part.content)
            self._inbox.put(self._lines_key(number), part.lines.tobytes())
            firsts.append(part.first)
        return firsts

    def part(self, plan: LoadPlan, number: int) -> FilePart:
        """A part.

        Raises:
            Conflict: when it is gone, since all parts are done.
        """
        key = self._part_key(plan.key, number)
        try:
            lines = array("q", self._inbox.get(self._lines_key(number)))
            return FilePart(plan.firsts[number], lines, self._inbox.get(key))
        except NotFound as error:
            raise Conflict(f"{key!r} is gone, so another worker has loaded it; look again", key=key) from error

    def report(self, number: int, counts: RowCounts) -> None:
        """Write what became of a part."""
        self._inbox.put(self._report_key(number), json.dumps(asdict(counts)).encode())

    def done(self) -> set[int]:
        """The numbers of the parts that are done."""
        names = (key.removeprefix(f"{self.folder}/") for key in self._inbox.list(f"{self.folder}/"))
        return {int(stem) for stem, _, ending in (name.partition(".") for name in names) if _is_report(stem, ending)}

    def counts(self, plan: LoadPlan) -> Sequence[RowCounts]:
        """What became of each part."""
        return [RowCounts(**json.loads(self._inbox.get(self._report_key(n)))) for n in range(len(plan.firsts))]

    def clear(self, plan: LoadPlan) -> None:
        """Remove the parts; the plan and what became of them stay."""
        for number in range(len(plan.firsts)):
            self._inbox.delete(self._part_key(plan.key, number))
            self._inbox.delete(self._lines_key(number))

    def _part_key(self, key: str, number: int) -> str:
        return f"{self.folder}/{number:05d}.{kind_of(key)}"

    def _lines_key(self, number: int) -> str:
        return f"{self.folder}/{number:05d}.lines"

    def _report_key(self, number: int) -> str:
        return f"{self.folder}/{number:05d}.json"


def _is_report(stem: str, ending: str) -> bool:
    return stem.isdigit() and ending == "json"
