"""The time that a replay goes through, in steps."""

from dataclasses import dataclass

from smallbox.define.source import Source
from smallbox.errors import InvalidInput
from smallbox.times import DAY, MINUTE, Micros, day_of


@dataclass(frozen=True, slots=True)
class Span:
    """Some whole days, cut into steps.

    Attributes:
        start: the midnight at which the replay begins: what was known by then is history.
        end: the midnight at which it ends.
        step: the length of a step; a whole number of steps makes a day.

    Raises:
        InvalidInput: when the end is not after the start, or the steps make no day.
    """

    start: Micros
    end: Micros
    step: Micros

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise InvalidInput(f"--to {day_of(self.end)} must be a later day than --from {day_of(self.start)}")
        if self.step < MINUTE or DAY % self.step:
            raise InvalidInput(f"--step {self.step // MINUTE}: whole steps must make a day, like 15, 60 or 180 minutes")

    @property
    def moments(self) -> range:
        """The beginnings of the steps."""
        return range(self.start, self.end, self.step)

    @property
    def days(self) -> int:
        """How many days."""
        return (self.end - self.start) // DAY

    def step_end(self, at: Micros) -> Micros:
        """The end of the step that a moment lies in, for moments outside the span too.

        >>> span = Span(0, DAY, 60 * MINUTE)
        >>> [span.step_end(minutes * MINUTE) // MINUTE for minutes in (-1, 0, 1, 60)]
        [0, 0, 60, 60]
        """
        return self.start - (self.start - at) // self.step * self.step

    def known_at(self, source: Source, time: Micros) -> Micros:
        """When a record of that event time became known.

        A source without ``known_after`` knows its records when they are received. A replay receives them at the end of
        the step in which they happened.
        """
        return source.known_at(time, received_at=self.step_end(time))
