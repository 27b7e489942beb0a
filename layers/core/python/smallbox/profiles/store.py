"""The profiles of hours in an object store, written where data is written and read without a row of it.

``profiles/<subject>/layout`` is a subject's layout, written once. Under ``profiles/<subject>/<part>/<day>/`` each batch
has one object with the hours of that day, named by the batch, so that a batch that is tried again overwrites its own.
The upkeep gathers a day's objects into one named ``day``. It lists the batches that are in it: one of them that comes
again is not counted twice.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from smallbox.errors import Conflict, NotStored
from smallbox.ports import Blobs
from smallbox.profiles.building import key_hashes
from smallbox.profiles.layout import ProfileLayout
from smallbox.profiles.profile import Profile, merged_profiles
from smallbox.profiles.stored import StoredProfiles, decoded, encoded
from smallbox.times import DAY, Micros, day_of

PROFILES: Final = "profiles/"
"""The prefix of every object that holds profiles."""

PROFILE_KINDS: Final = ("records", "predictions", "labelled")
"""The folders of all profiles, each of which is granted and listed by itself."""

GATHERED: Final = "day"
"""The name of the object with all batches of a day."""

_LAYOUT: Final = "/layout"


@dataclass(frozen=True, slots=True)
class ProfileSubject:
    """What is profiled.

    Attributes:
        name: what shares a layout: ``records/arrivals``, ``predictions/late_arrival/3`` or ``labelled/late_arrival/3``.
        part: the rows of it that are counted apart, like ``online/champion``.
    """

    name: str
    part: str

    def folder(self, day: str) -> str:
        """The prefix of the objects of a day."""
        return f"{PROFILES}{self.name}/{self.part}/{day}/"


def source_subject(source: str) -> ProfileSubject:
    """The accepted records of a source, by event time."""
    return ProfileSubject(f"records/{source}", "accepted")


def prediction_subject(model: str, version: int, channel: str, arm: str) -> ProfileSubject:
    """What a version answered in an arm of a channel, by the moment of the request."""
    return ProfileSubject(f"predictions/{model}/{version}", f"{channel}/{arm}")


def labelled_subject(model: str, version: int, channel: str, arm: str) -> ProfileSubject:
    """The labelled predictions of a version in an arm of a channel: outputs, labels and losses, by ``settles_from``."""
    return ProfileSubject(f"labelled/{model}/{version}", f"{channel}/{arm}")


class ProfileStore:
    """Writes and reads the profiles of hours.

    Args:
        blobs: where they are kept.
    """

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._layouts: dict[str, ProfileLayout] = {}

    def layout(self, name: str) -> ProfileLayout | None:
        """The layout of a subject by its name; ``None`` before the first profile."""
        if name not in self._layouts:
            try:
                content = self._blobs.get(f"{PROFILES}{name}{_LAYOUT}")
            except NotStored:
                return None
            self._layouts[name] = ProfileLayout.from_bytes(content)
        return self._layouts[name]

    def layout_or(self, name: str, make: Callable[[], ProfileLayout]) -> ProfileLayout:
        """The layout of a subject; the first of all writers stores the one that it makes, and all others take that."""
        found = self.layout(name)
        if found is None:
            with suppress(Conflict):
                self._blobs.put_new(f"{PROFILES}{name}{_LAYOUT}", make().to_bytes())
            found = self.layout(name)
        if found is None:  # it was deleted meanwhile
            raise Conflict(f"the layout of {name} was deleted while it was written; try again")
        return found

    def put(self, subject: ProfileSubject, batch: str, hours: Mapping[Micros, Profile]) -> None:
        """Store the profiles of a batch by hour; a batch of the same name is overwritten."""
        for day, profiles in _by_day(hours).items():
            self._blobs.put(subject.folder(day) + batch, StoredProfiles([batch], encoded(profiles)).to_bytes())

    def replace(self, subject: ProfileSubject, start: Micros, end: Micros, hours: Mapping[Micros, Profile]) -> None:
        """Replace the profiles of the hours ``start <= hour < end``; all of ``hours`` lie between them.

        Only one writer of a subject may do this, and nothing else may write that subject.
        """
        days = _by_day(hours)
        for begin in range(start // DAY * DAY, end, DAY):
            key = subject.folder(day_of(begin)) + GATHERED
            known = self._read(key)
            before = {} if known is None else known.hours
            kept = {hour: one for hour, one in before.items() if not start <= hour < end}
            found = {**kept, **encoded(days.get(day_of(begin), {}))}
            if found != before:
                self._blobs.put(key, StoredProfiles([], found).to_bytes())

    def between(self, subject: ProfileSubject, start: Micros, end: Micros) -> dict[Micros, Profile]:
        """The profile of each hour ``start <= hour < end`` that has one, by the hour's begin."""
        layout = self.layout(subject.name)
        if layout is None:
            return {}
        found: dict[Micros, Profile] = {}
        for begin in range(start // DAY * DAY, end, DAY):
            found |= _added_up(layout, self._objects(subject.folder(day_of(begin))))
        return {hour: one for hour, one in sorted(found.items()) if start <= hour < end}

    def parts(self, name: str) -> list[ProfileSubject]:
        """The subjects of a name that have profiles, one for each part; lists all their objects."""
        keys = (key.removeprefix(f"{PROFILES}{name}/") for key in self._blobs.list(f"{PROFILES}{name}/"))
        return [ProfileSubject(name, one) for one in sorted({key.rsplit("/", 2)[0] for key in keys if "/" in key})]

    def gather(self) -> int:
        """Gather the objects of each day into one; how many days were gathered. Only one may gather at a time.

        Safe to kill at any moment: a batch that is both in the gathered object and in its own counts once.
        """
        keys = self._keys()
        names = _named(keys)
        folders = {f"{key.rpartition('/')[0]}/" for key in keys if not key.endswith((_LAYOUT, f"/{GATHERED}"))}
        for folder in sorted(folders):
            layout = self._layout_of(folder, names)
            if layout is not None:
                self._gather(layout, folder)
        return len(folders)

    def forget(self, keys: pa.Array) -> int:
        """Take the rows of some keys out of the extreme rows; in how many objects there were any.

        Their counts and sums stay, which name no row. Profiles of a layout that was given up are deleted. Run it while
        nothing writes profiles: a batch that comes again brings its rows back.
        """
        hashes, stored = key_hashes(keys), self._keys()
        names = _named(stored)
        changed = 0
        for key in (one for one in stored if not one.endswith(_LAYOUT)):
            layout, found = self._layout_of(key, names), self._read(key)
            if layout is not None and found is not None:
                left = encoded({hour: one.without_keys(hashes) for hour, one in decoded(layout, found.hours).items()})
                if left != found.hours:
                    self._blobs.put(key, StoredProfiles(found.batches, left).to_bytes())
                    changed += 1
        return changed

    def _keys(self) -> list[str]:
        return [key for kind in PROFILE_KINDS for key in self._blobs.list(f"{PROFILES}{kind}/")]

    def _layout_of(self, key: str, names: Sequence[str]) -> ProfileLayout | None:
        name = next((one for one in names if key.startswith(f"{PROFILES}{one}/")), None)
        return None if name is None else self.layout(name)

    def _gather(self, layout: ProfileLayout, folder: str) -> None:
        objects = self._objects(folder)
        batches = {batch for one in objects.values() for batch in one.batches}
        hours = encoded(_added_up(layout, objects))
        self._blobs.put(folder + GATHERED, StoredProfiles(sorted(batches), hours).to_bytes())
        for key in self._blobs.list(folder):
            if key.removeprefix(folder) in batches:
                self._blobs.delete(key)

    def _objects(self, folder: str) -> dict[str, StoredProfiles]:
        """The objects of a folder by name, without the batches that the gathered one has already."""
        while True:
            names = [key.removeprefix(folder) for key in self._blobs.list(folder)]
            found = {name: one for name in names if (one := self._read(folder + name)) is not None}
            if len(found) == len(names):  # else they were gathered since they were listed
                break
        done = set(found[GATHERED].batches) if GATHERED in found else set()
        return {name: one for name, one in found.items() if name not in done}

    def _read(self, key: str) -> StoredProfiles | None:
        try:
            return StoredProfiles.from_bytes(self._blobs.get(key))
        except NotStored:
            return None


def _named(keys: Sequence[str]) -> list[str]:
    """The names of the subjects that have a layout among some objects."""
    return [key[len(PROFILES) : -len(_LAYOUT)] for key in keys if key.endswith(_LAYOUT)]


def _by_day(hours: Mapping[Micros, Profile]) -> dict[str, dict[Micros, Profile]]:
    days: dict[str, dict[Micros, Profile]] = defaultdict(dict)
    for hour, one in sorted(hours.items()):
        days[day_of(hour)][hour] = one
    return days


def _added_up(layout: ProfileLayout, objects: Mapping[str, StoredProfiles]) -> dict[Micros, Profile]:
    found: dict[Micros, list[Profile]] = defaultdict(list)
    for stored in objects.values():
        for hour, profile in decoded(layout, stored.hours).items():
            found[hour].append(profile)
    return {hour: merged_profiles(layout, parts) for hour, parts in found.items()}
