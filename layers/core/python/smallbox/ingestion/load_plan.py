"""The plan for loading a large drop, and the folders of a drop."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from smallbox.ingestion.part_loader import RowCounts
from smallbox.ingestion.parts_folder import PARTS_PREFIX, PartsFolder, parts_folder_of
from smallbox.ports import Blobs, StoredObject
from smallbox.times import Micros

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


DropFolder = PartsFolder[LoadPlan, RowCounts]
"""The working folder of a large drop."""


def drop_folder(inbox: Blobs, path: str) -> DropFolder:
    """The working folder at a path."""
    return PartsFolder(inbox, path, LoadPlan, RowCounts)


def drop_path(key: str, stored: StoredObject) -> str:
    """The path of the working folder of a drop; each upload of a key has its own."""
    return parts_folder_of(key, stored.at, stored.tag)


def quarantine_folder_of(key: str, folder: str) -> str:
    """The folder of a drop's rejected rows in quarantine: the file's name for people, and the drop's unique id.

    >>> quarantine_folder_of("drop/weather/2013/all of it.csv", "parts/7f")
    'all_of_it.csv-7f'
    """
    return f"{_UNSAFE.sub('_', key.rpartition('/')[2])[:_SHOWN]}-{folder.removeprefix(f'{PARTS_PREFIX}/')}"
