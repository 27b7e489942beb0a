"""A second checkout with a changed definition: what a team changes in a week, all at once."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from smallbox.cli.local import remembered
from smallbox.errors import NotReady

_DEFINITION: Final = Path("layers/definitions/python/definitions/flights.py")
_PARTS: Final = ("functions", "infra", "layers")


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of the definition.

    Attributes:
        what: the change, for people.
        before: the text that it replaces; it must be there once.
        after: the new text.
    """

    what: str
    before: str
    after: str


EDITS: Final[Sequence[Edit]] = (
    Edit(
        "a window feature is added",
        '        "carrier_late_rate_7d": rate("late", "7d"),\n',
        '        "carrier_late_rate_7d": rate("late", "7d"),\n        "carrier_late_rate_24h": rate("late", "24h"),\n',
    ),
    Edit(
        "a window is changed under one name",
        '"route_mean_delay_24h": mean("arrival_delay", "24h")',
        '"route_mean_delay_24h": mean("arrival_delay", "7d")',
    ),
    Edit(
        "a feature is dropped",
        '        "origin_departure_delay_std_3h": std("departure_delay", "3h"),\n',
        "",
    ),
    Edit(
        "an on-demand function is edited",
        "    return origin_mean_departure_delay_1h - origin_mean_departure_delay_3h\n",
        "    return (origin_mean_departure_delay_1h - origin_mean_departure_delay_3h) / 60\n",
    ),
    Edit(
        "an optional field is added to a contract",
        '        "weekday": integer(minimum=0, maximum=6, unit="days since Monday"),\n',
        '        "weekday": integer(minimum=0, maximum=6, unit="days since Monday"),\n'
        '        "seats_sold": integer(minimum=0, maximum=900, nullable=True),\n',
    ),
)


def changed_text(text: str) -> str:
    """The definition with every edit made.

    Raises:
        NotReady: when the definition is not the shipped one any more.
    """
    for edit in EDITS:
        if text.count(edit.before) != 1:
            raise NotReady(f"the shipped definition was edited, so the demo cannot change it: {edit.what}")
        text = text.replace(edit.before, edit.after)
    return text


def write_changed_checkout(root: Path, folder: Path) -> Path:
    """Copy a checkout to a folder, with the changed definition and the running stack remembered; returns the folder.

    Raises:
        NotReady: when the definition is not the shipped one any more.
    """
    text = changed_text((root / _DEFINITION).read_text())
    shutil.rmtree(folder, ignore_errors=True)
    for part in _PARTS:
        shutil.copytree(root / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(root / "cdk.json", folder)
    (folder / "node_modules").symlink_to(root / "node_modules")
    (folder / _DEFINITION).write_text(text)
    (folder / ".smallbox").mkdir()
    shutil.copy(remembered(), folder / ".smallbox")
    return folder
