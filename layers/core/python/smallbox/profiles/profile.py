"""The profile of some rows: by column its counts, exact moments, distinct values and extreme rows.

Profiles of one layout add up: in any order and in any parts the result has equal bytes. numpy only.
"""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from smallbox.arrays import Array, Ints
from smallbox.errors import InvalidInput
from smallbox.profiles.distinct import DISTINCT_REGISTERS, distinct_of
from smallbox.profiles.extremes import KEPT, Extremes, merged_extremes, without_keys
from smallbox.profiles.layout import Hashes64, ProfileLayout, TextBins
from smallbox.profiles.moments import LIMBS, carried, mean_of, variance_of

_HEADER: Final = struct.Struct("<B8sQBI")
_FORM: Final = 1
_WIDTHS: Final = (1, 2, 4, 8)
_SPARSE_BYTES: Final = 5
_DENSE: Final = 0xFFFFFFFF
"""In place of the number of registers that are not 0: all of them are stored."""


@dataclass(frozen=True, slots=True)
class ExtremeRow:
    """A row with an extreme value.

    Attributes:
        value: the value.
        time: the row's event time, microseconds.
        key_hash: a hash of its key.
    """

    value: float
    time: int
    key_hash: int


@dataclass(frozen=True, slots=True, eq=False)
class ColumnProfile:
    """One column of a profile.

    Attributes:
        rows: number of rows.
        missing: rows without a value.
        counts: numeric: by bin of the layout; text: by category.
        below: numeric: values below every bin; text: 0.
        above: numeric: values above every bin; text: 0.
        rest: text: values of the reference that have no category of their own; numeric: 0.
        unseen: text: values that the reference did not have; numeric: 0.
        mean: the mean of the known values; NaN for texts and without values.
        variance: their sample variance; NaN for texts and fewer than two values.
        distinct: about how many distinct values there are, with a standard error of 3 %.
        lowest: the rows with the smallest values, smallest first.
        highest: the rows with the greatest values, greatest first.
    """

    rows: int
    missing: int
    counts: Ints
    below: int = 0
    above: int = 0
    rest: int = 0
    unseen: int = 0
    mean: float = float("nan")
    variance: float = float("nan")
    distinct: float = 0.0
    lowest: tuple[ExtremeRow, ...] = ()
    highest: tuple[ExtremeRow, ...] = ()

    @property
    def known(self) -> int:
        """Rows with a value."""
        return self.rows - self.missing


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """What some rows look like; built by :func:`smallbox.profiles.building.build_profile`.

    Attributes:
        layout: the bins and categories.
        rows: number of rows.
        counts: the counts of all columns, one after another, ``(layout.slots,)``.
        moments: sums and sums of squares of the numeric columns, ``(numeric, 9)``.
        registers: for the distinct values of each column, ``(columns, 1024)``.
        extremes: the extreme rows of the numeric columns.
    """

    layout: ProfileLayout
    rows: int
    counts: Ints
    moments: Ints
    registers: Array
    extremes: Extremes

    @classmethod
    def empty(cls, layout: ProfileLayout) -> "Profile":
        """The profile of no rows: added to another one, it changes nothing."""
        numeric = len(layout.numeric)
        return cls(
            layout,
            0,
            np.zeros(layout.slots, np.int64),
            np.zeros((numeric, LIMBS), np.int64),
            np.zeros((len(layout.columns), DISTINCT_REGISTERS), np.uint8),
            Extremes.none(numeric),
        )

    def column(self, name: str) -> ColumnProfile:
        """One column, by name; :class:`KeyError` when the layout has none of that name."""
        counts = self.counts[self.layout.slices[name]]
        at = list(self.layout.columns).index(name)
        distinct = distinct_of(self.registers[at])
        if isinstance(self.layout.columns[name], TextBins):
            rest, unseen, missing = counts[-3:].tolist()
            return ColumnProfile(self.rows, missing, counts[:-3], rest=rest, unseen=unseen, distinct=distinct)
        below, above, missing = counts[0].item(), counts[-2].item(), counts[-1].item()
        own = self.layout.numeric.index(name)
        sums = self.moments[own], self.rows - missing, float(self.layout.grid[own])
        lowest, highest = self._extreme_rows(own)
        return ColumnProfile(
            self.rows, missing, counts[1:-2], below, above, mean=mean_of(*sums), variance=variance_of(*sums),
            distinct=distinct, lowest=lowest, highest=highest,
        )  # fmt: skip

    def _extreme_rows(self, own: int) -> tuple[tuple[ExtremeRow, ...], tuple[ExtremeRow, ...]]:
        both = []
        for end, sign in enumerate((-1, 1)):
            kept = self.extremes.sizes[own, end] > -np.inf
            values = (sign * self.extremes.sizes[own, end][kept]).tolist()
            rows = zip(
                values,
                self.extremes.times[own, end][kept].tolist(),
                self.extremes.keys[own, end][kept].tolist(),
                strict=True,
            )
            both.append(tuple(ExtremeRow(*one) for one in rows))
        return both[0], both[1]

    def without_keys(self, keys: Hashes64) -> "Profile":
        """The profile without the extreme rows of some keys, by their hashes; counts and sums stay."""
        return replace(self, extremes=without_keys(self.extremes, keys))

    def to_bytes(self) -> bytes:
        """The profile as bytes; equal profiles give equal bytes. The layout is stored apart."""
        width = next(one for one in _WIDTHS if self.counts.max(initial=0) < 1 << (8 * one))
        flat = self.registers.reshape(-1)
        marked = np.flatnonzero(flat)
        is_sparse = len(marked) * _SPARSE_BYTES < len(flat)
        header = _HEADER.pack(_FORM, self.layout.digest, self.rows, width, len(marked) if is_sparse else _DENSE)
        registers = (marked.astype("<u4").tobytes() + flat[marked].tobytes()) if is_sparse else flat.tobytes()
        extremes = (self.extremes.sizes, self.extremes.times, self.extremes.keys)
        return b"".join(
            (header, self.counts.astype(f"<u{width}").tobytes(), self.moments.astype("<i8").tobytes(),
             *(one.tobytes() for one in extremes), registers)
        )  # fmt: skip

    @classmethod
    def from_bytes(cls, layout: ProfileLayout, content: bytes) -> "Profile":
        """The inverse of :meth:`to_bytes`.

        Raises:
            InvalidInput: when the bytes are of another layout or form.
        """
        form, digest, rows, width, marked = _HEADER.unpack_from(content)
        if form != _FORM or digest != layout.digest:
            raise InvalidInput("the profile was stored for another layout")
        at, numeric = _HEADER.size, len(layout.numeric)
        counts = np.frombuffer(content, f"<u{width}", layout.slots, at).astype(np.int64)
        at += width * layout.slots
        moments = np.frombuffer(content, "<i8", numeric * LIMBS, at).reshape(numeric, LIMBS)
        at += 8 * moments.size
        shape, size = (numeric, 2, KEPT), numeric * 2 * KEPT
        sizes, times, keys = (
            np.frombuffer(content, kind, size, at + 8 * size * n).reshape(shape)
            for n, kind in enumerate(("<f8", "<i8", "<u8"))
        )
        registers = _registers(content, at + 24 * size, len(layout.columns), marked)
        return cls(layout, rows, counts, moments, registers, Extremes(sizes, times, keys))


def _registers(content: bytes, at: int, columns: int, marked: int) -> Array:
    if marked == _DENSE:
        return np.frombuffer(content, np.uint8, columns * DISTINCT_REGISTERS, at).reshape(columns, DISTINCT_REGISTERS)
    flat = np.zeros(columns * DISTINCT_REGISTERS, np.uint8)
    flat[np.frombuffer(content, "<u4", marked, at)] = np.frombuffer(content, np.uint8, marked, at + 4 * marked)
    return flat.reshape(columns, DISTINCT_REGISTERS)


def merged_profiles(layout: ProfileLayout, profiles: Iterable[Profile]) -> Profile:
    """The profile of the rows of all profiles together; without profiles that of no rows.

    Raises:
        InvalidInput: when a profile has another layout.
    """
    parts: Sequence[Profile] = list(profiles)
    if any(one.layout is not layout and one.layout.digest != layout.digest for one in parts):
        raise InvalidInput("profiles of different layouts cannot be added up")
    found = Profile.empty(layout)
    for one in parts:
        np.add(found.counts, one.counts, out=found.counts)
        np.add(found.moments, one.moments, out=found.moments)
        np.maximum(found.registers, one.registers, out=found.registers)
    extremes = merged_extremes(len(layout.numeric), [one.extremes for one in parts])
    rows = sum(one.rows for one in parts)
    return Profile(layout, rows, found.counts, carried(found.moments), found.registers, extremes)
