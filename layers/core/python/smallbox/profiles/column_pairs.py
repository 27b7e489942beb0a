"""Which pairs of number columns are watched together, and the sums of their scores in rows."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, Final

import numpy as np

from smallbox.arrays import Floats
from smallbox.profiles.layout import NumericBins, ProfileLayout, slots_of
from smallbox.profiles.profile import Profile
from smallbox.statistics.pair_correlation import PairSums
from smallbox.statistics.profile_numbers import bin_scores

PAIRED: Final = 5
"""Columns whose pairs are watched: ten pairs. Each pair is a stream, and streams share one budget of false alarms."""

_LEAST_IMPORTANCE: Final = 0.01
"""Of that of the most important one."""

_CORRELATION: Final = "correlation with "

Pair = tuple[str, str]


def important_pairs(layout: ProfileLayout, importance: Mapping[str, float]) -> list[Pair]:
    """All pairs of the most important number columns; the more important one comes first.

    Columns that the model does not rely on are in no pair: what goes together there hurts nothing.

    Args:
        layout: the columns that may be paired.
        importance: by column the rise of the mean loss when it is shuffled.
    """
    least = _LEAST_IMPORTANCE * max(importance.values(), default=0.0)
    used = [name for name in layout.numeric if importance.get(name, 0.0) > least]
    used.sort(key=lambda name: -importance[name])
    return list(combinations(used[:PAIRED], 2))


def pair_stream(pair: Pair) -> str:
    """The name of a pair's stream: that of its first column, then what it is.

    >>> pair_stream(("weight", "distance"))
    'weight:correlation with distance'
    """
    return f"{pair[0]}:{_CORRELATION}{pair[1]}"


def stream_columns(stream: str) -> tuple[str, ...]:
    """The columns or sources that a stream is of: two for a pair.

    >>> stream_columns("carrier:is UA"), stream_columns("weight:correlation with distance")
    (('carrier',), ('weight', 'distance'))
    """
    name, _, what = stream.partition(":")
    return (name, what.removeprefix(_CORRELATION)) if what.startswith(_CORRELATION) else (name,)


class ColumnPairs:
    """Scores values by their bin in a reference, and adds up pairs.

    Args:
        reference: the profile of a whole reference.
        pairs: of its number columns.

    Attributes:
        layout: the columns that are in a pair.
    """

    def __init__(self, reference: Profile, pairs: Sequence[Pair]) -> None:
        self._pairs = tuple(pairs)
        self.layout = reference.layout.only({name for pair in pairs for name in pair}.__contains__)
        self._scores = {name: bin_scores(reference.column(name).counts.tolist()) - 0.5 for name in self.layout.columns}

    def sums(self, values: Mapping[str, Any]) -> PairSums:
        """The sums of some rows, by the columns of the layout; a value beyond the reference scores as its nearest bin.

        A column that is not there counts as missing.
        """
        rows = max((len(one) for one in values.values()), default=0)
        unknown = np.full(rows, np.nan)
        scores = {name: self._scored(name, values.get(name, unknown)) for name in self.layout.columns}
        first, second = (
            np.array([scores[pair[at]] for pair in self._pairs], float).reshape(len(self._pairs), rows) for at in (0, 1)
        )
        return PairSums.of(first, second)

    def _scored(self, name: str, values: Any) -> Floats:
        numbers, own, bins = np.asarray(values, float), self._scores[name], self.layout.columns[name]
        if not isinstance(bins, NumericBins):
            return np.full(len(numbers), np.nan)
        # slots count from 1: the first is for values below every bin
        at = np.clip(slots_of(bins, numbers) - 1, 0, len(own) - 1)
        return np.where(np.isnan(numbers), np.nan, own[at])
