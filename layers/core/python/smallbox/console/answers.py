"""The documents that the read-only routes answer with."""

from typing import Any, Literal, NotRequired, TypedDict

from smallbox.documents.daily_run import IncidentBrief
from smallbox.monitoring.findings import Finding, FindingKind, Remedy
from smallbox.monitoring.incident import IncidentState, StoryEntry
from smallbox.monitoring.report import Check
from smallbox.registry.version import Version


class RoutingAnswer(TypedDict):
    """The versions that serve a model; see :class:`~smallbox.registry.routing.Routing`."""

    champion: int
    challenger: int | None
    share: float
    since: str
    revision: int
    previous: int | None
    shadow: int | None
    unit: str
    began: str
    held: str
    experiment: dict[str, Any] | None


class ModelAnswer(TypedDict):
    """A model and its routing; ``None`` before the first champion."""

    name: str
    routing: RoutingAnswer | None


class ModelsAnswer(TypedDict):
    """``GET /models``."""

    models: list[ModelAnswer]


class VersionsAnswer(TypedDict):
    """``GET /models/{model}/versions``: oldest first."""

    versions: list[Version]


class HistoryAnswer(TypedDict):
    """``GET /models/{model}/history``: oldest first; every event has ``event`` and ``at``, and what belongs to it."""

    history: list[dict[str, Any]]


class RunningRung(TypedDict):
    """Where a release stands; see :class:`~smallbox.registry.routing.Routing`."""

    rung: Literal["shadow", "canary"]
    share: float
    unit: str
    began: str
    since: str
    held: str
    champion: int


class ReleaseAnswer(TypedDict):
    """``GET /models/{model}/releases/{version}``: the release of a version; ``running`` is ``None`` when it is over."""

    model: str
    version: int
    status: str
    running: RunningRung | None
    events: list[dict[str, Any]]
    looks: list[dict[str, Any]]
    days: list[dict[str, Any]]
    slices: list[dict[str, Any]]


class IncidentAnswer(TypedDict):
    """An incident; see :class:`~smallbox.monitoring.incident.Incident`."""

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
    subjects: list[str]
    effect: float | None
    story: list[StoryEntry]
    closed: str
    told: bool
    sentence: str


class IncidentsAnswer(TypedDict):
    """``GET /models/{model}/incidents``: oldest first, those that are closed too."""

    incidents: list[IncidentAnswer]


class ReportAnswer(TypedDict):
    """``GET /models/{model}/metrics/{day}``: the monitoring report of a day."""

    model: str
    day: str
    as_of: str
    breaches: dict[str, int]
    sentences: list[str]
    checks: list[Check]
    findings: list[Finding]
    accuracy: dict[str, dict[str, Any]]
    changes: dict[str, dict[str, Any]]
    distances: NotRequired[dict[str, list[dict[str, Any]]]]
    estimate: dict[str, Any]
    exposure: NotRequired[dict[str, Any]]
    states: NotRequired[list[dict[str, Any]]]
    joint: NotRequired[dict[str, Any]]


class ServingSince(TypedDict):
    """The champion; of a canary the challenger, with its share of the requests."""

    version: int
    since: str
    share: NotRequired[float]


class LastTraining(TypedDict):
    """The last training that ended."""

    as_of: str
    version: int | None
    outcome: str
    why: str


class SourceStatus(TypedDict):
    """A source on the day of the report."""

    name: str
    records: int | None
    age_hours: float | None
    most_hours: float | None
    breached: bool


class ModelStatus(TypedDict):
    """How a model stands."""

    name: str
    champion: ServingSince | None
    canary: ServingSince | None
    shadow: ServingSince | None
    last_training: LastTraining | None
    day: str | None
    breaches: list[str]
    incidents: list[IncidentBrief]
    sources: list[SourceStatus]
    is_changed: bool
    trained_version: int | None


class ViewStatus(TypedDict):
    """A live view."""

    view: str
    version: str
    source: str
    state: Literal["leaving", "ready", "filling"]
    needed_by: str


class StatusAnswer(TypedDict):
    """``GET /status``."""

    models: list[ModelStatus]
    views: list[ViewStatus]


class RejectionAnswer(TypedDict):
    """A record that was not accepted: its place in the array, and why."""

    index: int
    field: str
    rule: str
    value: Any
    message: str


class CollectAnswer(TypedDict):
    """``POST /events/{source}``."""

    accepted: int
    rejected: list[RejectionAnswer]


class ErrorDetail(TypedDict):
    """What is wrong; see :mod:`smallbox.error_codes`."""

    code: str
    message: str
    details: dict[str, Any]


class ErrorAnswer(TypedDict):
    """Every error, but those of the inference protocol."""

    error: ErrorDetail


class ProtocolErrorAnswer(TypedDict):
    """An error on the routes of the inference protocol."""

    error: str
    code: str
    details: dict[str, Any]
