"""What accuracy is in each slice: loss, figures and prediction bias, and how much worse than in all other rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from smallbox.arrays import Bools, Floats, Ints
from smallbox.monitoring.label_numbers import LOSS
from smallbox.monitoring.prediction_bias import prediction_bias
from smallbox.objectives.measure import measure
from smallbox.objectives.objective import Objective, Scored
from smallbox.statistics.day_streams import DayValue
from smallbox.statistics.intervals import clustered_gap
from smallbox.statistics.profile_numbers import mean_number
from smallbox.times import DAY, day_of

LEAST_SLICED: Final = 50
"""A slice with fewer labelled rows or groups has no figures, and so has a slice that all but fewer are in."""

MOST_SLICES_TOLD: Final = 60
"""So many slices are told and watched, the largest ones."""

ANSWERED_BY: Final = ("version", "arm")
"""Slices by who answered; they are shown, and no change is looked for in them: a release judges versions."""


@dataclass(frozen=True, slots=True, eq=False)
class SlicedRows:
    """Labelled rows of one channel, whose attribution windows are over.

    Attributes:
        objective: that of the label.
        scored: the rows.
        days: ``(n,)`` the day of each row, counted from 1970.
        masks: by slice, like ``carrier=UA``, which rows are in it, ``(n,)``.
    """

    objective: Objective
    scored: Scored
    days: Ints
    masks: Mapping[str, Bools]

    def as_json(self) -> dict[str, Any]:
        """For the report: the bias of all rows, the first and last day, and the slices."""
        first, last = (day_of(int(day) * DAY) for day in (self.days.min(), self.days.max()))
        bias = prediction_bias(self.objective, self.scored, self.days).as_json()
        return {"bias": bias, "sliced_from": first, "sliced_to": last, "slices": self.slices()}

    def slices(self) -> list[dict[str, Any]]:
        """The figures of each slice, JSON-ready, the one with the highest loss above that of other rows first.

        ``worse`` is the mean loss of the slice less that of all other rows. Many slices are shown: by chance one bound
        in twenty is wrong.
        """
        losses = self.objective.losses(self.scored)
        found = [
            {
                "slice": name,
                "worse": clustered_gap(losses.values, mask[losses.rows], self.days[losses.rows]).as_json(),
                "bias": prediction_bias(self.objective, self.scored.take(mask), self.days[mask]).as_json(),
                **measure(self.objective, self.scored.take(mask), self.days[mask]),
            }
            for name, mask in self._large()
        ]
        return sorted(found, key=lambda one: -(one["worse"]["value"] or 0.0))

    def numbers(self, day: int) -> dict[str, DayValue]:
        """By slice how much its loss lies above that of other rows on a day, as ``loss:<slice>``.

        What makes a day hard for all rows cancels, so a slice that fails stands out.
        """
        losses = self.objective.losses(self.scored)
        newest = self.days[losses.rows] == day
        names = [name for name, _ in self._large() if name.partition("=")[0] not in ANSWERED_BY]
        parts = {name: self.masks[name][losses.rows] for name in names}
        return {
            f"{LOSS}:{name}": _less(losses.values[newest & mask], losses.values[newest & ~mask])
            for name, mask in parts.items()
            if min((newest & mask).sum(), (newest & ~mask).sum()) >= LEAST_SLICED // 2
        }

    def _large(self) -> list[tuple[str, Bools]]:
        """The slices with rows enough, the largest first."""
        units = self.objective.losses(self.scored).rows
        sizes = {name: int(mask[units].sum()) for name, mask in self.masks.items()}
        kept = [name for name, size in sizes.items() if size >= LEAST_SLICED]
        kept.sort(key=lambda name: (name.partition("=")[0] not in ANSWERED_BY, -sizes[name], name))
        return [(name, self.masks[name]) for name in kept[:MOST_SLICES_TOLD]]


def _less(inside: Floats, outside: Floats) -> DayValue:
    ours, theirs = mean_number(inside), mean_number(outside)
    return DayValue(ours.value - theirs.value, ours.variance + theirs.variance)
