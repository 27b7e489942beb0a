"""The document of a model's day.

    feedback/join -> monitoring/check -> release/shadow -> release/review -> release/experiment -> retraining/decide

Each function passes the document on with a key of its own. What the last one returns is what ``smallbox day`` prints.
"""

from collections.abc import Mapping
from typing import Any, Literal, NotRequired, TypedDict

ReviewAction = Literal["none", "champion", "shadow", "start", "step", "wait", "promote", "roll_back", "cannot_tell"]
"""``start``: a canary begins; ``step``: it gets a larger share."""


class JoinCounts(TypedDict):
    """The predictions that the join looked at, by status, and the coverage of the newest settled day.

    Attributes:
        labelled: predictions with a label.
        pending: predictions whose attribution window is open.
        unlabelled: predictions whose window is over, without a label.
        asked_late: predictions that were asked for when their outcome was known already.
        coverage: the share with a label, from 0 to 1, of the newest day whose windows are all over; ``None`` when it
            has no predictions.
        coverage_day: that day, ``YYYY-MM-DD``.
        restated: settled predictions of which an outcome said something else since the last join.
        unmatched: keys with a new outcome, and no prediction in the last 90 days.
        breaker: why trainings and decisions about quality have to wait for the labels; empty when they do not.
    """

    labelled: int
    pending: int
    unlabelled: int
    asked_late: int
    coverage: float | None
    coverage_day: str
    restated: int
    unmatched: int
    breaker: str


class ShadowStep(TypedDict):
    """What the shadow did.

    Attributes:
        version: the candidate; ``None`` when no release runs.
        scored: the number of days whose requests it scored.
        settled: the number of days whose labels are complete, and whose losses were compared.
        why: why nothing was scored; else empty.
    """

    version: int | None
    scored: int
    settled: int
    why: str


class ReviewStep(TypedDict):
    """What the review did.

    Attributes:
        action: the change of who serves, or why there is none.
        why: the reason, one sentence.
        version: the version that it is about; absent when there is none.
        evidence: the figures of the decision about a release; absent when none runs.
    """

    action: ReviewAction
    why: str
    version: NotRequired[int | None]
    evidence: NotRequired[dict[str, Any]]


class ExperimentStep(TypedDict):
    """What is known of the running experiment.

    Attributes:
        verdict: the verdict in a word, see :data:`~smallbox.release.experiment_verdict.ExperimentWord`; of an
            interleaving ``better`` and ``worse`` are about the second version. ``none`` when no experiment runs.
        why: the verdict in a sentence.
        experiment: its name; absent when none runs.
        stopped: whether its own rules stopped it; absent when none runs.
    """

    verdict: str
    why: str
    experiment: NotRequired[str]
    stopped: NotRequired[bool]


class RollbackStep(TypedDict):
    """What became of an incident whose remedy is to roll back.

    Attributes:
        done: whether the champion was rolled back.
        why: the reason, one sentence; with the command where a person must decide.
    """

    done: bool
    why: str


class RetrainingStep(TypedDict):
    """The decision whether to train again.

    Attributes:
        train: whether a training run was started.
        why: the reason, one sentence.
        execution: the id of the run's execution; absent when none was started.
        rollback: what became of an incident that asks to roll back; absent without one.
    """

    train: bool
    why: str
    execution: NotRequired[str]
    rollback: NotRequired[RollbackStep]


class IncidentBrief(TypedDict):
    """An incident in one line.

    Attributes:
        id: its id; `smallbox incidents MODEL ID` tells its story.
        state: ``open``, ``acknowledged`` or ``closed``.
        opened: the event day that opened it, ``YYYY-MM-DD``.
        sentence: the latest finding, and what to do.
    """

    id: str
    state: str
    opened: str
    sentence: str


class DayDocument(TypedDict):
    """A model's day, as far as its steps have come.

    Attributes:
        model: the model's name.
        as_of: the midnight UTC that ends the day, ISO 8601. ``feedback/join`` adds the last midnight when it is left
            out, and every later step needs it.
        feedback: added by ``feedback/join``.
        day: the day that was checked, ``YYYY-MM-DD``; added by ``monitoring/check``.
        breaches: how many checks breached, by kind; added by ``monitoring/check``.
        sentences: the breached checks, a sentence each; added by ``monitoring/check``.
        incidents: those that are not closed, and those that closed by this day; added by ``monitoring/check``.
        shadow: added by ``release/shadow``.
        release: added by ``release/review``.
        experiment: added by ``release/experiment``.
        retraining: added by ``retraining/decide``.
    """

    model: str
    as_of: NotRequired[str]
    feedback: NotRequired[JoinCounts]
    day: NotRequired[str]
    breaches: NotRequired[Mapping[str, int]]
    sentences: NotRequired[list[str]]
    incidents: NotRequired[list[IncidentBrief]]
    shadow: NotRequired[ShadowStep]
    release: NotRequired[ReviewStep]
    experiment: NotRequired[ExperimentStep]
    retraining: NotRequired[RetrainingStep]
