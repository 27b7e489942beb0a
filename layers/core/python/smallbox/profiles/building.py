"""Builds layouts and profiles from columns, where rows are written."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from smallbox.arrays import Array, Floats, Ints
from smallbox.lake.text_sets import text_hashes
from smallbox.profiles.distinct import DISTINCT_REGISTERS, mixed, number_hashes, registers_of
from smallbox.profiles.extremes import Extremes, extremes_of
from smallbox.profiles.layout import (
    KNOWN_TEXTS,
    ColumnBins,
    Hashes64,
    NumericBins,
    ProfileLayout,
    TextBins,
    numeric_bins,
    slots_of,
)
from smallbox.profiles.moments import LIMBS, carried, moments_of
from smallbox.profiles.profile import Profile
from smallbox.times import DAY, HOUR, Micros

CATEGORIES: Final = 50
"""Most texts that have a count of their own."""

_EVER: Final[Micros] = -(2**62)

Values = Mapping[str, Array | pa.Array]
"""Columns in step: a number column as floats, NaN missing; a text column as Arrow strings, null or ``""`` missing."""


def layout_of_values(values: Values) -> ProfileLayout:
    """The layout that a reference gives: bins of equal counts, and its most frequent texts."""
    return ProfileLayout({name: _bins(one) for name, one in values.items()})


def _bins(values: Array | pa.Array) -> ColumnBins:
    return text_bins(values) if isinstance(values, pa.Array) else numeric_bins(values)


def text_bins(texts: pa.Array, at_least: int = 1) -> TextBins:
    """The most frequent texts of a reference, equal counts in alphabetical order, and hashes of the others.

    Args:
        texts: the reference.
        at_least: fewest rows that make a text a category.
    """
    found = pc.value_counts(texts.filter(pc.and_kleene(pc.is_valid(texts), pc.not_equal(texts, ""))))
    named = pa.table({"text": found.field("values"), "count": found.field("counts")})
    named = named.sort_by([("count", "descending"), ("text", "ascending")])
    names, is_kept = named["text"].combine_chunks(), pc.greater_equal(named["count"], at_least)
    kept = min(CATEGORIES, pc.sum(is_kept).as_py() or 0)
    others = names.slice(kept, KNOWN_TEXTS)
    return TextBins(tuple(names.slice(0, kept).to_pylist()), np.sort(mixed(text_hashes(others))))


def key_hashes(keys: pa.Array) -> Hashes64:
    """The hash by which a profile names a row's key."""
    return mixed(text_hashes(keys))


def build_profile(layout: ProfileLayout, values: Values, times: Ints, keys: Hashes64 | None = None) -> Profile:
    """The profile of some rows.

    Args:
        layout: of the columns; one that ``values`` does not have, or has as another kind, counts as missing.
        values: the columns.
        times: event times, microseconds.
        keys: :func:`key_hashes` of the rows; 0 by default.
    """
    rows = len(times)
    keys = np.zeros(rows, np.uint64) if keys is None else keys
    counts, registers = np.zeros(layout.slots, np.int64), np.zeros((len(layout.columns), DISTINCT_REGISTERS), np.uint8)
    moments, extremes = np.zeros((len(layout.numeric), LIMBS), np.int64), Extremes.none(len(layout.numeric))
    own = 0
    for at, (name, bins) in enumerate(layout.columns.items()):
        one = values.get(name)
        if isinstance(bins, TextBins):
            counts[layout.slices[name]], registers[at] = _texts(bins, _as_texts(one, rows))
            continue
        numbers = _as_numbers(one, rows)
        counts[layout.slices[name]], registers[at], moments[own] = _numbers(bins, numbers, float(layout.grid[own]))
        extremes.sizes[own], extremes.times[own], extremes.keys[own] = extremes_of(numbers, times, keys)
        own += 1
    return Profile(layout, rows, counts, carried(moments), registers, extremes)


def _as_texts(values: Any, rows: int) -> pa.Array:
    return values if isinstance(values, pa.Array) else pa.nulls(rows, pa.string())


def _as_numbers(values: Any, rows: int) -> Floats:
    return np.full(rows, np.nan) if values is None or isinstance(values, pa.Array) else np.asarray(values, np.float64)


def _numbers(bins: NumericBins, values: Floats, grid: float) -> tuple[Ints, Array, Ints]:
    counts = np.bincount(slots_of(bins, values), minlength=bins.slots)
    known = values[~np.isnan(values)] if counts[-1] else values
    return counts, registers_of(number_hashes(known)), moments_of(known, grid)


def _texts(bins: TextBins, texts: pa.Array) -> tuple[Ints, Array]:
    encoded = texts.dictionary_encode()
    names = encoded.dictionary
    by_name = np.bincount(encoded.indices.drop_null().to_numpy(), minlength=len(names))
    is_text = np.asarray(pc.not_equal(names, ""), bool)
    hashes = mixed(text_hashes(names))
    slots = _text_slots(bins, names, hashes)
    slots[~is_text] = len(bins.categories) + 2
    counts = np.bincount(slots, by_name, bins.slots).astype(np.int64)
    counts[-1] += texts.null_count
    return counts, registers_of(hashes[is_text])


def _text_slots(bins: TextBins, names: pa.Array, hashes: Hashes64) -> Ints:
    """The count of each text: its category's, that of the rest, or that of unseen texts."""
    rest = len(bins.categories)
    listed = pc.index_in(names, value_set=pa.array(bins.categories, pa.string()))
    slots = np.array(listed.fill_null(rest + 1), np.int64)
    is_known = np.ones(len(hashes), bool) if bins.is_open else np.isin(hashes, bins.known)
    slots[(slots > rest) & is_known] = rest
    return slots


def by_hour(
    layout: ProfileLayout, values: Values, times: Ints, keys: Hashes64 | None = None, since: Micros = _EVER
) -> dict[Micros, Profile]:
    """The profiles of rows by the hour of their event time, whose begin is its name; arguments as above.

    Rows of the days before ``since`` are together by day, under the day's begin: each profile costs about as much as
    the rows of a busy hour, and a file of years has too many hours.
    """
    is_old = times < since // DAY * DAY
    if not is_old.any():
        return by_period(layout, values, times, keys, HOUR)
    keys = np.zeros(len(times), np.uint64) if keys is None else keys
    old, new = np.flatnonzero(is_old), np.flatnonzero(~is_old)
    return by_period(layout, _taken(values, old), times[old], keys[old], DAY) | by_period(
        layout, _taken(values, new), times[new], keys[new], HOUR
    )


def by_period(
    layout: ProfileLayout, values: Values, times: Ints, keys: Hashes64 | None, size: Micros
) -> dict[Micros, Profile]:
    """The profiles of rows by consecutive periods, an hour or a day, by the begin of each."""
    periods = times // size
    order = np.argsort(periods, kind="stable")
    starts = np.flatnonzero(np.diff(periods[order], prepend=periods[order][:1] - 1))
    keys = np.zeros(len(times), np.uint64) if keys is None else keys
    return {
        int(periods[rows[0]]) * size: build_profile(layout, _taken(values, rows), times[rows], keys[rows])
        for rows in np.split(order, starts[1:])
        if len(rows)
    }


def _taken(values: Values, rows: Ints) -> dict[str, Any]:
    return {
        name: one.take(pa.array(rows)) if isinstance(one, pa.Array) else np.asarray(one)[rows]
        for name, one in values.items()
    }
