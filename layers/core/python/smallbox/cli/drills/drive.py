"""Runs a drill on a system: quiet weeks, then the fault, day by day, until its deadline."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import pandas as pd

from smallbox.cli.drills.drill import Drill
from smallbox.cli.drills.site import DrillSite, Rung
from smallbox.cli.drills.town import BEGIN, DayRecords, records_of
from smallbox.times import DAY, HOUR, Micros

HISTORY_DAYS: Final = 56
CALM_DAYS: Final = 24
"""The days between the first training and the fault: labels and volumes are judged after three weeks of them."""

STEP: Final[Micros] = 6 * HOUR


@dataclass(frozen=True, slots=True)
class DrillResult:
    """What came of a drill.

    Attributes:
        drill: its name.
        came: after how many event days what was expected came; 0: nothing was expected; ``None``: it did not come.
        said: it in words.
        others: the other incidents that opened, each by its first finding in words.
        notices: the number of findings that do not ring.
        silent: the operational alarms that were to ring as well, and did not.
    """

    drill: str
    came: int | None
    said: str
    others: tuple[str, ...]
    notices: int
    silent: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether what was expected came in time, with its alarms, and no other incident."""
        return self.came is not None and not self.others and not self.silent


def begin(site: DrillSite) -> None:
    """Load the history, train the first version, and live the quiet days."""
    start = BEGIN + HISTORY_DAYS * DAY
    history = [records_of(day) for day in range(HISTORY_DAYS)]
    for source in ("orders", "deliveries"):
        rows = pd.concat([one.by_source[source] for one in history])
        site.drop(source, rows[rows["at"] < start], start)
    for day, one in enumerate(history):
        for at in range(BEGIN + day * DAY, BEGIN + (day + 1) * DAY, STEP):
            site.send("weather", _within(one.weather, at, at + STEP), at + STEP)
    site.train(start)
    quiet = Days(site)
    for day in range(HISTORY_DAYS, HISTORY_DAYS + CALM_DAYS):
        quiet.live(day)


def run_drill(drill: Drill, site: DrillSite) -> DrillResult:
    """Inject the fault after the quiet days, and live up to the deadline; see :func:`begin`."""
    first = HISTORY_DAYS + CALM_DAYS
    days, seen = Days(site, drill, first), list[Seen]()
    before = len(site.releases())
    if drill.part is not None:
        site.damage(drill.part, BEGIN + first * DAY)
    for day in range(first, first + drill.days):
        found = days.live(day)
        seen.append(Seen(found, site.alarms(), site.releases()[before:], days.looked))
    return drill_result_of(drill, seen)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a day of a drill showed.

    Attributes:
        findings: those of its check.
        alarms: the operational alarms at its end.
        releases: the release events since the fault.
        looked: the incidents that the hourly looks saw, with the hour of the day.
    """

    findings: Sequence[Rung]
    alarms: Sequence[str]
    releases: Sequence[str]
    looked: Sequence[tuple[int, Rung]] = ()


def drill_result_of(drill: Drill, seen: Sequence[Seen]) -> DrillResult:
    """What came of a drill, from its days.

    Findings of one cause are one incident. An incident that has a finding of the expected kind, or of a kind that the
    fault truly causes too, is no other.
    """
    wanted = set[str](drill.expected.names)
    came, said = (0, "nothing was to ring") if drill.expected.what == "nothing" else _first(drill, seen)
    incidents = _by_cause(seen)
    fine = wanted | set(drill.along)
    others = [found[0] for found in incidents.values() if not fine & {one.kind for one in found}]
    notices = sum(one.severity == "notice" for day in seen for one in day.findings)
    rung = {name for day in seen for name in day.alarms}
    silent = tuple(name for name in drill.rings if name not in rung)
    return DrillResult(drill.name, came, said, tuple(f"{one.kind}: {one.sentence}" for one in others), notices, silent)


def _first(drill: Drill, seen: Sequence[Seen]) -> tuple[int | None, str]:
    for number, day in enumerate(seen, 1):
        said = [one for one in _rang(drill, day) if one[0] in drill.expected.names]
        if said:
            return number, said[0][1]
    return None, "it did not come"


def _rang(drill: Drill, day: Seen) -> list[tuple[str, str]]:
    if drill.expected.what == "alarm":
        return [(name, f"the alarm {name} rings") for name in day.alarms]
    if drill.expected.what == "look":
        return [(one.kind, f"{hour}:00: {one.sentence}") for hour, one in day.looked if hour <= drill.by_hour]
    if drill.expected.what == "release":
        return [(name, f"the release did {name}") for name in day.releases]
    return [(one.kind, one.sentence) for one in day.findings if one.severity == "incident"]


def _by_cause(seen: Sequence[Seen]) -> Mapping[str, Sequence[Rung]]:
    found = defaultdict[str, list[Rung]](list)
    for one in (one for day in seen for one in day.findings if one.severity == "incident"):
        found[one.cause].append(one)
    return found


@dataclass
class Days:
    """The days of a drill: what is sent and asked on each, and what the answers of one day make of the next.

    Attributes:
        site: the system.
        drill: the fault; ``None``: every day is quiet.
        since: the first day of the fault.
        looked: the incidents that the hourly looks of the last day saw, with the hour of the day.
    """

    site: DrillSite
    drill: Drill | None = None
    since: int = 0
    looked: list[tuple[int, Rung]] = field(default_factory=list)
    _records: dict[int, DayRecords] = field(default_factory=dict)

    def live(self, day: int) -> Sequence[Rung]:
        """Live a day in steps: predict what is asked in the step, then send what became known in it; close the day."""
        self.looked = []
        for at in range(BEGIN + day * DAY, BEGIN + (day + 1) * DAY, STEP):
            asked = _within(self._of(day).asked, at, at + STEP)
            if len(asked):
                self.site.predict(asked, at)
            for source in ("orders", "deliveries", "weather"):
                sent = pd.concat([self._of(known).by_source[source] for known in (day - 1, day)])
                due = _within(sent, at, at + STEP)
                if len(due):
                    self.site.send(source, due, at + STEP)
            self._look(at)
        return self.site.close_day(BEGIN + (day + 1) * DAY)

    def _look(self, at: Micros) -> None:
        """Look every hour of a step, after what was sent in it; only a drill that is about it pays for it."""
        if self.drill is not None and self.drill.expected.what == "look":
            for now in range(at + HOUR, at + STEP + 1, HOUR):
                self.looked += [((now - 1) % DAY // HOUR + 1, one) for one in self.site.look(now)]

    def _of(self, day: int) -> DayRecords:
        if day not in self._records:
            self._records[day] = self._make(day)
            self._records = {known: self._records[known] for known in self._records if known > day - 2}
        return self._records[day]

    def _make(self, day: int) -> DayRecords:
        if self.drill is None or day < self.since:
            return records_of(day)
        return self.drill.sent(records_of(day, self.drill.conditions))


def _within(rows: pd.DataFrame, since: Micros, until: Micros) -> pd.DataFrame:
    return rows[(rows["at"] >= since) & (rows["at"] < until)]
