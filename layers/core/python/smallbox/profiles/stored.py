"""Several profiles as one object: of the hours of a day, or of the days of a reference."""

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Self

import numpy as np

from smallbox.errors import InvalidInput
from smallbox.profiles.column_pairs import Pair
from smallbox.profiles.layout import ProfileLayout
from smallbox.profiles.profile import Profile, merged_profiles
from smallbox.statistics.pair_correlation import PAIR_SUMS, PairSums
from smallbox.times import Micros

_LENGTH: Final = struct.Struct("<I")


@dataclass(frozen=True, slots=True, eq=False)
class StoredProfiles:
    """Encoded profiles of hours.

    Attributes:
        batches: the batches whose rows are in them.
        hours: the profile of each hour, encoded, by the hour's begin.
    """

    batches: Sequence[str]
    hours: Mapping[Micros, bytes]

    def to_bytes(self) -> bytes:
        """The object."""
        sizes = [[hour, len(content)] for hour, content in self.hours.items()]
        header = json.dumps({"batches": list(self.batches), "hours": sizes}).encode()
        return b"".join((_LENGTH.pack(len(header)), header, *self.hours.values()))

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """The inverse of :meth:`to_bytes`."""
        at = _LENGTH.size + _LENGTH.unpack_from(content)[0]
        header = json.loads(content[_LENGTH.size : at])
        hours = {}
        for hour, size in header["hours"]:
            hours[hour] = content[at : at + size]
            at += size
        return cls(header["batches"], hours)


def encoded(profiles: Mapping[Micros, Profile]) -> dict[Micros, bytes]:
    """Profiles as bytes, in the order of their moments."""
    return {moment: one.to_bytes() for moment, one in sorted(profiles.items())}


def decoded(layout: ProfileLayout, contents: Mapping[Micros, bytes]) -> dict[Micros, Profile]:
    """The inverse of :func:`encoded`; profiles of another layout, which cannot be added up, are left out."""
    found = {}
    for moment, content in contents.items():
        try:
            found[moment] = Profile.from_bytes(layout, content)
        except InvalidInput:
            continue
    return found


@dataclass(frozen=True, slots=True, eq=False)
class ReferenceDays:
    """What a version was trained on, day by day: how much days differ without any change.

    Attributes:
        layout: inputs, outputs, ``label`` and :data:`LOSS_COLUMN`.
        days: the profile of each day of the dataset, by the day's begin. Outputs and losses are those of the validation
            rows, which did not fit the model: on the days before, they are missing in every row.
        importance: by input the rise of the mean loss when it is shuffled between validation rows, 0 at least; empty
            when an earlier release trained it.
        pairs: which inputs are watched together.
        pair_days: the sums of these pairs on each day, by the day's begin.
    """

    layout: ProfileLayout
    days: Mapping[Micros, Profile]
    importance: Mapping[str, float] = field(default_factory=dict)
    pairs: Sequence[Pair] = ()
    pair_days: Mapping[Micros, PairSums] = field(default_factory=dict)

    def whole(self) -> Profile:
        """The profile of all days together."""
        return merged_profiles(self.layout, self.days.values())

    def to_bytes(self) -> bytes:
        """The reference as one object: the layout, the profiles, then importance and pairs."""
        layout, profiles = self.layout.to_bytes(), StoredProfiles([], encoded(self.days)).to_bytes()
        header = {"importance": self.importance, "pairs": self.pairs, "days": list(self.pair_days)}
        return b"".join((_sized(layout), profiles, _sized(json.dumps(header).encode()), *self._sums()))

    def _sums(self) -> Iterator[bytes]:
        return (one.sums.astype("<f8").tobytes() for one in self.pair_days.values())

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """The inverse of :meth:`to_bytes`; what an earlier release stored ends with its profiles."""
        at = _LENGTH.size + _LENGTH.unpack_from(content)[0]
        layout, profiles = ProfileLayout.from_bytes(content[_LENGTH.size : at]), StoredProfiles.from_bytes(content[at:])
        at += len(profiles.to_bytes())
        if at == len(content):
            return cls(layout, decoded(layout, profiles.hours))
        end = at + _LENGTH.size + _LENGTH.unpack_from(content, at)[0]
        header = json.loads(content[at + _LENGTH.size : end])
        pairs = [(first, second) for first, second in header["pairs"]]
        sums = np.frombuffer(content, "<f8", offset=end).reshape(len(header["days"]), len(pairs), PAIR_SUMS)
        pair_days = {day: PairSums(one) for day, one in zip(header["days"], sums, strict=True)}
        return cls(layout, decoded(layout, profiles.hours), header["importance"], pairs, pair_days)


def _sized(content: bytes) -> bytes:
    return _LENGTH.pack(len(content)) + content


LABEL_COLUMN: Final = "label"
"""The column of a profile for encoded labels."""

LOSS_COLUMN: Final = "label.loss"
"""The column of a profile for the objective's losses, by row or by group; no input can have this name."""


def is_logged(column: str) -> bool:
    """Whether a column of a reference is known when a request is answered: an input or an output."""
    return column not in {LABEL_COLUMN, LOSS_COLUMN}
