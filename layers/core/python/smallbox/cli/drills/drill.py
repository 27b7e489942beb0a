"""A drill: a fault, and what must ring after how long."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from smallbox.cli.drills.senders import honest
from smallbox.cli.drills.site import STACK_PARTS, AlarmName, BrokenPart
from smallbox.cli.drills.town import QUIET, Conditions, DayRecords
from smallbox.monitoring.findings import FindingKind


class Expected(NamedTuple):
    """What must come of a drill.

    Attributes:
        what: an incident of the daily check or of the hourly look, an operational alarm, an action of the release, or
            nothing at all.
        names: the kinds of finding, the alarm or the action, any one of which will do; empty for nothing.
    """

    what: Literal["incident", "look", "alarm", "release", "nothing"]
    names: tuple[FindingKind | AlarmName | Literal["roll_back", "roll_back by guard"], ...] = ()


NOTHING_RINGS: Final = Expected("nothing")


@dataclass(frozen=True, slots=True)
class Drill:
    """One fault.

    Attributes:
        name: its name on the command line.
        breaks: what goes wrong, in words.
        expected: what must come of it.
        days: within how many event days, the day of the fault included.
        conditions: what is true from the day of the fault on.
        sent: what the senders make of the records from that day on.
        part: the part of the system that is broken on that day.
        along: other kinds that the same fault truly causes, and that may ring beside it.
        rings: the operational alarms that must ring as well.
        by_hour: by which hour of the first day the hourly look must see it.
    """

    name: str
    breaks: str
    expected: Expected
    days: int
    conditions: Conditions = QUIET
    sent: Callable[[DayRecords], DayRecords] = honest
    part: BrokenPart | None = None
    along: tuple[FindingKind, ...] = ()
    rings: tuple[AlarmName, ...] = ()
    by_hour: int = 24

    @property
    def is_for_stacks(self) -> bool:
        """Whether it can be run on a local stack; all of them run in one process."""
        return self.part is None or self.part in STACK_PARTS


def incident(*kinds: FindingKind) -> Expected:
    """An incident of one of these kinds."""
    return Expected("incident", kinds)


def alarm(name: AlarmName) -> Expected:
    """An operational alarm."""
    return Expected("alarm", (name,))
