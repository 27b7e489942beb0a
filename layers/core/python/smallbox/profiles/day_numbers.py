"""The numbers of a day's profile that a change is found in, for every input and output."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from smallbox.profiles.column_pairs import Pair, pair_stream
from smallbox.profiles.layout import ColumnBins, ProfileLayout, TextBins
from smallbox.profiles.profile import ColumnProfile, Profile
from smallbox.profiles.stored import ReferenceDays, is_logged
from smallbox.statistics.day_streams import DayValue
from smallbox.statistics.pair_correlation import PairSums
from smallbox.statistics.profile_numbers import category_numbers, numeric_numbers
from smallbox.table_columns import is_output
from smallbox.times import DAY


def day_numbers(seen: Profile, reference: Profile) -> dict[str, DayValue]:
    """One number for each stream of each input and output, named ``<column>:<what>``.

    Labels and losses are left out: those of a served day become known later.

    Args:
        seen: the day's profile; its columns are some of the reference's, in the same bins.
        reference: the sum of the days of a version's reference.
    """
    days = {name: seen.column(name) for name in seen.layout.columns if is_logged(name)}
    return _named(seen.layout, days, {name: reference.column(name) for name in days})


def reference_numbers(reference: ReferenceDays) -> dict[int, dict[str, DayValue]]:
    """The numbers of each day of a reference, by days since 1970-01-01.

    Outputs are those of the validation rows, none of which lacks one: what is missing is of rows that fitted the model.
    """
    layout, whole = reference.layout, reference.whole()
    usual = {name: whole.column(name) for name in layout.columns if is_logged(name)}
    return {
        begin // DAY: {
            **_named(layout, {name: _validated(name, day.column(name)) for name in usual}, usual),
            **pair_numbers(reference.pairs, reference.pair_days.get(begin)),
        }
        for begin, day in reference.days.items()
    }


def pair_numbers(pairs: Sequence[Pair], sums: PairSums | None) -> dict[str, DayValue]:
    """The number of each pair of columns on a day, by the name of its stream; none without sums."""
    return {} if sums is None else dict(zip(map(pair_stream, pairs), sums.numbers(), strict=True))


def _validated(name: str, column: ColumnProfile) -> ColumnProfile:
    return replace(column, rows=column.known, missing=0) if is_output(name) else column


def _named(
    layout: ProfileLayout, days: Mapping[str, ColumnProfile], usual: Mapping[str, ColumnProfile]
) -> dict[str, DayValue]:
    return {
        f"{name}:{what}": value
        for name, day in days.items()
        for what, value in _numbers(layout.columns[name], day, usual[name]).items()
    }


def _numbers(bins: ColumnBins, day: ColumnProfile, usual: ColumnProfile) -> dict[str, DayValue]:
    if isinstance(bins, TextBins):
        before, now = (
            dict(zip([*bins.categories, ""], [*one.counts.tolist(), one.rest], strict=True)) for one in (usual, day)
        )
        return category_numbers(before, now, day.unseen, day.missing)
    counts = day.counts.copy()
    counts[0] += day.below
    counts[-1] += day.above
    return numeric_numbers(usual.counts.tolist(), counts.tolist(), day.missing, outside=day.below + day.above)
