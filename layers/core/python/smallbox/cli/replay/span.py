"""The time span of a replay, in steps."""

from dataclasses import dataclass

from smallbox.define.source import Source
from smallbox.errors import InvalidInput
from smallbox.times import DAY, MINUTE, Micros, day_of


@dataclass(frozen=True, slots=True)
class Span:
    """Whole days, divided into steps.

    Attributes:
        start: the midnight at which the replay begins; records known by then are its history.
        end: the midnight at which it ends.
        step: the length of a step, in microseconds; divides a day.

    Raises:
        InvalidInput: if the end is not after the start, or the step does not divide a day.
    """

    start: Micros
    end: Micros
    step: Micros

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise InvalidInput(f"--to {day_of(self.end)} must be a later day than --from {day_of(self.start)}")
        if self.step < MINUTE or DAY % self.step:
            raise InvalidInput(f"--step {self.step // MINUTE}: the step must divide a day, like 15, 60 or 180 minutes")

    @property
    def moments(self) -> range:
        """The start of every step."""
        return range(self.start, self.end, self.step)

    @property
    def days(self) -> int:
        """The number of days."""
        return (self.end - self.start) // DAY

    def step_end(self, at: Micros) -> Micros:
        """The end of the step that contains a moment; also for moments outside the span.

        >>> span = Span(0, DAY, 60 * MINUTE)
        >>> [span.step_end(minutes * MINUTE) // MINUTE for minutes in (-1, 0, 1, 60)]
        [0, 0, 60, 60]
        """
        return self.start - (self.start - at) // self.step * self.step

    def known_at(self, source: Source, time: Micros) -> Micros:
        """When a record with this event time becomes known.

        Without ``known_after``, records are known when they are received: in a replay, at the end of the step of their
        event time.
        """
        return source.known_at(time, received_at=self.step_end(time))
