"""One incident: what went wrong with a model, and what became of it. Pure: every change gives a new incident."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Literal

from smallbox.monitoring.findings import Finding, FindingKind, Remedy
from smallbox.times import Micros, format_moment

IncidentState = Literal["open", "acknowledged", "closed"]
StoryEvent = Literal[
    "opened",
    "finding",
    "decision",
    "training",
    "training_failed",
    "gate",
    "release",
    "promotion",
    "rollback",
    "acknowledged",
    "closed",
]

QUIET_DAYS: Final = 3
"""An incident closes by itself after so many checked days in a row without a finding of its cause."""

_DAILY_SENTENCES: Final = 5
_NOT_IN_ID: Final = re.compile(r"[^\w.]+")
_LONGEST_STORY: Final = 200
_FAULTS: Final = frozenset({"data_fault", "missing_values"})
"""What such values do to the loss is mended where they come from: a training would learn them."""


@dataclass(frozen=True, slots=True)
class StoryEntry:
    """A line of an incident's story.

    Attributes:
        at: the moment, ISO 8601: of a finding the one that the check was made for.
        event: what happened.
        sentence: it in words.
        link: what to look at: the day of a report, the execution of a training, ``version 3``; empty for nothing.
    """

    at: str
    event: StoryEvent
    sentence: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class Incident:
    """One cause that hurts a model, from the day when it was found until it is gone.

    Attributes:
        id: its name, like ``late_arrival-2013-03-08-data_fault``.
        model: the model's name.
        kind: the kind of the first finding.
        cause: what its findings have in common; see :class:`~smallbox.monitoring.findings.Finding`.
        state: ``acknowledged``: a person knows of it, and it still updates.
        opened: the event day of the first finding, ``YYYY-MM-DD``.
        updated: the event day of the latest finding.
        checked: the latest event day that was checked while it was not closed.
        quiet: how many days in a row were checked since without a finding.
        remedy: what a person should do, by the latest findings.
        subjects: what is affected, each once.
        effect: the largest expected rise of the mean loss so far; ``None`` where none could be estimated.
        story: what happened, oldest first.
        closed: the moment at which it was closed, ISO 8601; empty until then.
        told: whether the hourly look told people of it, so that the daily check does not tell it again.
    """

    id: str
    model: str
    kind: FindingKind
    cause: str
    state: IncidentState
    opened: str
    updated: str
    checked: str
    quiet: int
    remedy: Remedy
    subjects: tuple[str, ...]
    effect: float | None
    story: tuple[StoryEntry, ...]
    closed: str = ""
    told: bool = False

    @property
    def is_closed(self) -> bool:
        """Whether it is over."""
        return self.state == "closed"

    @property
    def sentence(self) -> str:
        """The latest finding in words, and what to do."""
        found = [entry.sentence for entry in self.story if entry.event in {"opened", "finding"}]
        todo = "" if self.remedy == "nothing" else f"; to do: {self.remedy}"
        return f"{found[-1] if found else self.kind}{todo}"

    def as_json(self) -> dict[str, Any]:
        """The incident as a document, with its sentence."""
        return {**asdict(self), "sentence": self.sentence}


def incident_from_json(document: Mapping[str, Any]) -> Incident:
    """The incident of a stored document."""
    known = {name: document[name] for name in Incident.__dataclass_fields__ if name in document}
    story = tuple(StoryEntry(**entry) for entry in document["story"])
    return Incident(**{**known, "subjects": tuple(document["subjects"]), "story": story})


def cause_of(finding: Finding) -> str:
    """The cause that a finding is grouped by: its own, else its kind."""
    return finding.cause or finding.kind


def open_incident(model: str, findings: Sequence[Finding], day: str, now: Micros) -> Incident:
    """A new incident of findings of one cause on one day; at least one."""
    first = max(findings, key=lambda finding: finding.effect or 0.0)
    cause = cause_of(first)
    by_cause = "" if cause == first.kind else f"-{_NOT_IN_ID.sub('_', cause)}"
    began = Incident(
        id=f"{model}-{day}-{first.kind}{by_cause}",
        model=model,
        kind=first.kind,
        cause=cause,
        state="open",
        opened=day,
        updated=day,
        checked="",
        quiet=0,
        remedy=first.remedy,
        subjects=(),
        effect=None,
        story=(),
    )
    return go_on(began, findings, day, now)


def go_on(incident: Incident, findings: Sequence[Finding], day: str, now: Micros) -> Incident:
    """The incident after another day with findings of its cause; the same for a day that was checked before."""
    if incident.is_closed or day <= incident.checked:
        return incident
    worst = max(findings, key=lambda finding: finding.effect or 0.0)
    effects = [one for one in (incident.effect, *(finding.effect for finding in findings)) if one is not None]
    subjects = dict.fromkeys((*incident.subjects, *(finding.subject for finding in findings)))
    grown = replace(
        incident,
        updated=max(incident.updated, day),
        checked=day,
        quiet=0,
        remedy=incident.remedy if incident.kind in _FAULTS else worst.remedy,
        subjects=tuple(subjects),
        effect=max(effects, default=None),
    )
    for entry in _entries(incident, findings, day, now):
        grown = with_entry(grown, entry)
    return grown


def _entries(incident: Incident, findings: Sequence[Finding], day: str, now: Micros) -> list[StoryEntry]:
    """A line for each finding of the day, and how many more there are."""
    more = len(findings) - _DAILY_SENTENCES
    sentences = [finding.sentence for finding in findings[:_DAILY_SENTENCES]]
    sentences += [f"and {more} more findings of this day"] * (more > 0)
    found = [StoryEntry(format_moment(now), "finding", sentence, day) for sentence in sentences]
    if not incident.story:
        found[0] = replace(found[0], event="opened")
    return found


def stay_quiet(incident: Incident, day: str, now: Micros) -> Incident:
    """The incident after another checked day without a finding of its cause: it closes after ``QUIET_DAYS``.

    A day before it was opened says nothing: the hourly look may open it before the day before has been checked.
    """
    if incident.is_closed or day <= incident.checked or day < incident.opened:
        return incident
    quiet = replace(incident, checked=day, quiet=incident.quiet + 1)
    if quiet.quiet < QUIET_DAYS:
        return quiet
    return closed_by(quiet, f"{QUIET_DAYS} days in a row were checked without a finding of it", now, link=day)


def seen_early(incident: Incident, findings: Sequence[Finding], day: str, now: Micros) -> Incident:
    """The incident with what was found before the day is over, at most one line a day; the day is not yet checked."""
    link = f"hourly look of {day}"
    if incident.is_closed or day <= incident.updated or any(entry.link == link for entry in incident.story):
        return incident
    return with_entry(incident, StoryEntry(format_moment(now), "finding", findings[0].sentence, link))


def closed_by(incident: Incident, why: str, now: Micros, link: str = "") -> Incident:
    """The incident, closed for a reason; one that is closed stays as it is."""
    if incident.is_closed:
        return incident
    entry = StoryEntry(format_moment(now), "closed", why, link)
    return with_entry(replace(incident, state="closed", closed=entry.at), entry)


def acknowledged_by(incident: Incident, by: str, why: str, now: Micros) -> Incident:
    """The open incident, acknowledged by a person with a reason; another stays as it is."""
    if incident.state != "open":
        return incident
    entry = StoryEntry(format_moment(now), "acknowledged", f"{by}: {why}")
    return with_entry(replace(incident, state="acknowledged"), entry)


def with_entry(incident: Incident, entry: StoryEntry) -> Incident:
    """The incident with one more line in its story; the same if the story has that line.

    A story of more than 200 lines loses lines of findings, the oldest first, but never the one that opened it.
    """
    if entry in incident.story:
        return incident
    story = (*incident.story, entry)
    if len(story) > _LONGEST_STORY:
        oldest = next((at for at, one in enumerate(story) if one.event == "finding"), 1)
        story = (*story[:oldest], *story[oldest + 1 :])
    return replace(incident, story=story)
