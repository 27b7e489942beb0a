"""Numbers of a day by stream, as a change detector reads them: values, their sampling variances, days left out."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from smallbox.arrays import Bools, Floats


@dataclass(frozen=True, slots=True)
class DayStreams:
    """What was measured on each day: one row a day, one column a stream.

    Attributes:
        days: days since 1970-01-01, ascending, none twice; days without any data may be missing.
        names: the name of each stream.
        values: shape ``(days, streams)``; NaN where a day has no value.
        variances: the sampling variance of each value, same shape: what chance alone would do with as many rows. NaN
            where unknown; ``None`` when no stream has one. Give it where the number of rows varies from day to day.
        weights: how important each stream is; by default all the same. Only their ratios count.
        left_out: days that are expected to differ, like holidays. They neither ring nor teach.

    Raises:
        ValueError: if shapes differ, days are not ascending, or weights are negative or all 0.
    """

    days: Sequence[int]
    names: Sequence[str]
    values: Floats
    variances: Floats | None = None
    weights: Floats | None = None
    left_out: frozenset[int] = field(default_factory=frozenset)

    def __post_init__(self) -> None:
        if self.values.shape != (len(self.days), len(self.names)):
            raise ValueError(f"values have shape {self.values.shape}, not ({len(self.days)}, {len(self.names)})")
        if self.variances is not None and self.variances.shape != self.values.shape:
            raise ValueError(f"variances have shape {self.variances.shape}, not {self.values.shape}")
        if any(later <= earlier for earlier, later in zip(self.days, self.days[1:], strict=False)):
            raise ValueError("days must be ascending, none twice")
        if self.weights is not None and (not (self.weights >= 0).all() or not self.weights.sum() > 0):
            raise ValueError("weights must be at least 0, and one above")

    def shares(self) -> Floats:
        """The weights, scaled to the sum 1."""
        weights = np.ones(len(self.names)) if self.weights is None else np.asarray(self.weights, float)
        return weights / max(float(weights.sum()), 1e-300)

    def known(self) -> Bools:
        """Which values count: those that are finite, of days that are not left out."""
        is_kept = np.array([day not in self.left_out for day in self.days], bool)
        is_known: Bools = np.isfinite(self.values) & is_kept[:, None]
        return is_known


@dataclass(frozen=True, slots=True)
class DayValue:
    """A number of one day.

    Attributes:
        value: the number; NaN when the day has none.
        variance: its sampling variance; NaN when unknown.
    """

    value: float
    variance: float


def day_streams(days: Mapping[int, Mapping[str, DayValue]]) -> DayStreams:
    """Streams from the numbers of each day; a stream that a day lacks is NaN on it.

    >>> found = day_streams({2: {"a": DayValue(1.0, 0.1)}, 3: {"b": DayValue(2.0, 0.1)}})
    >>> found.names, found.values.tolist()
    (['a', 'b'], [[1.0, nan], [nan, 2.0]])
    """
    order, names = sorted(days), sorted({name for numbers in days.values() for name in numbers})
    nothing = DayValue(math.nan, math.nan)
    found = [[days[day].get(name, nothing) for name in names] for day in order]
    values, variances = (
        np.array([[getattr(one, part) for one in row] for row in found], float).reshape(len(order), len(names))
        for part in ("value", "variance")
    )
    return DayStreams(order, names, values, variances)
