"""Working folder of a large file in the inbox: its plan, its parts, and the result of each part.

    parts/<id>/00000.csv, ...   the parts
    parts/<id>/00000.lines, ... line numbers of their rows, 64-bit integers; empty for Parquet
    parts/<id>/plan.json        written after all parts
    parts/<id>/00000.json, ...  result of each part; when all exist, the file is done

The JSON files stay until the bucket's lifecycle rule deletes them, so that a message that is redelivered late still
finds its part done.
"""

import hashlib
import json
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any, ClassVar, Final, Generic, Protocol, TypeVar

from smallbox.errors import Conflict, NotFound
from smallbox.ingestion.file_parts import FilePart
from smallbox.ingestion.readers import kind_of
from smallbox.ports import Blobs

PARTS_PREFIX: Final = "parts"


class _Document(Protocol):
    """A data class that can be built from its own JSON."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


class _Plan(_Document, Protocol):
    """What the folder reads of a plan: the file's key, and the number of the first row of each part."""

    @property
    def key(self) -> str: ...

    @property
    def firsts(self) -> Sequence[int]: ...


P = TypeVar("P", bound=_Plan)
R = TypeVar("R", bound=_Document)


def parts_folder_of(*identity: object) -> str:
    """The working folder of a file that these values identify."""
    return f"{PARTS_PREFIX}/{hashlib.blake2b(json.dumps(identity).encode(), digest_size=16).hexdigest()}"


class PartsFolder(Generic[P, R]):
    """The working folder of one file.

    Args:
        inbox: the bucket.
        path: the folder's key, from :func:`parts_folder_of`.
        plan_type: the data class of the plan.
        result_type: the data class of a part's result.
    """

    def __init__(self, inbox: Blobs, path: str, plan_type: type[P], result_type: type[R]) -> None:
        self._inbox = inbox
        self.path = path
        self._plan_type = plan_type
        self._result_type = result_type

    def plan(self) -> P | None:
        """The plan; ``None`` before all parts are written."""
        try:
            return self._plan_type(**json.loads(self._inbox.get(f"{self.path}/plan.json")))
        except NotFound:
            return None

    def write(self, plan: P) -> None:
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

    def part(self, plan: P, number: int) -> FilePart:
        """Read a part.

        Raises:
            Conflict: when it is deleted already, because all parts are done.
        """
        key = self._part_key(plan.key, number)
        try:
            lines = array("q", self._inbox.get(self._lines_key(number)))
            return FilePart(plan.firsts[number], lines, self._inbox.get(key))
        except NotFound as error:
            raise Conflict(f"{key!r} is gone because another worker has done it; retry", key=key) from error

    def report(self, number: int, result: R) -> None:
        """Write the result of a part."""
        self._inbox.put(self._report_key(number), json.dumps(asdict(result)).encode())

    def done(self) -> set[int]:
        """The numbers of the parts that are done."""
        names = (key.removeprefix(f"{self.path}/") for key in self._inbox.list(f"{self.path}/"))
        return {int(stem) for stem, _, ending in (name.partition(".") for name in names) if _is_report(stem, ending)}

    def results(self, plan: P) -> Sequence[R]:
        """The results of all parts."""
        numbers = range(len(plan.firsts))
        return [self._result_type(**json.loads(self._inbox.get(self._report_key(number)))) for number in numbers]

    def clear(self, plan: P) -> None:
        """Delete the parts; the plan and the results stay."""
        for number in range(len(plan.firsts)):
            self._inbox.delete(self._part_key(plan.key, number))
            self._inbox.delete(self._lines_key(number))

    def remove(self) -> None:
        """Delete everything, the plan first, so that no half-empty folder looks planned."""
        for key in [f"{self.path}/plan.json", *self._inbox.list(f"{self.path}/")]:
            self._inbox.delete(key)

    def _part_key(self, key: str, number: int) -> str:
        return f"{self.path}/{number:05d}.{kind_of(key)}"

    def _lines_key(self, number: int) -> str:
        return f"{self.path}/{number:05d}.lines"

    def _report_key(self, number: int) -> str:
        return f"{self.path}/{number:05d}.json"


def _is_report(stem: str, ending: str) -> bool:
    return stem.isdigit() and ending == "json"
