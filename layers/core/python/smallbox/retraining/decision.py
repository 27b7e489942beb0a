"""The retraining decision, always with a reason."""

from dataclasses import dataclass, replace
from typing import Final

from smallbox.define.rules import Retrain
from smallbox.times import DAY, Micros, format_moment

_MOST_SENTENCES: Final = 3


@dataclass(frozen=True, slots=True)
class Failures:
    """Consecutive failed training runs since the last successful one.

    Attributes:
        times: the number of failures.
        last: the ``as_of`` of the last failure.
        why: the reason of the last failure.
    """

    times: int
    last: Micros
    why: str


@dataclass(frozen=True, slots=True)
class Unreleased:
    """The last version, if it is neither released nor rejected: it waits for its release, or is undecided."""

    number: int
    as_of: Micros
    is_undecided: bool


@dataclass(frozen=True, slots=True)
class Situation:
    """The facts that the decision is based on.

    Attributes:
        champion_as_of: the ``as_of`` of the champion's training data; ``None`` without a champion.
        last_training: the ``as_of`` of the last training run that has not failed; ``None`` if there was none.
        in_release: whether a version is in a shadow or a canary.
        incidents: the incidents that training can mend and that are not closed, one sentence each.
        failures: the failed runs since the last version; ``None`` if there were none.
        unreleased: the last version, if it is neither released nor rejected.
        yesterday: results of trainings since the day before, one sentence each.
    """

    champion_as_of: Micros | None
    last_training: Micros | None
    in_release: bool
    incidents: tuple[str, ...]
    failures: Failures | None = None
    unreleased: Unreleased | None = None
    yesterday: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TrainingDecision:
    """Whether to train, and the reason."""

    train: bool
    why: str


def decide(rule: Retrain, situation: Situation, now: Micros) -> TrainingDecision:
    """Decide whether to train, by the first rule that applies.

    1. A release runs: no; the effects of two changes could not be told apart.
    2. The last runs failed: no, until the exponential backoff is over.
    3. The last run was less than ``at_least`` ago: no.
    4. There is no champion: yes.
    5. The last version is unreleased and younger than ``every``: no; a new one would meet the same obstacle.
    6. An incident that training can mend is not closed, and ``on_breach`` is set: yes.
    7. The champion's data is older than ``every``: yes.
    8. Otherwise: no.
    """
    decision = _wait(rule, situation, now) or _train(rule, situation, now)
    if not situation.yesterday:
        return decision
    return replace(decision, why="; ".join([decision.why, *situation.yesterday]))


def _wait(rule: Retrain, situation: Situation, now: Micros) -> TrainingDecision | None:
    if situation.in_release:
        return TrainingDecision(train=False, why="a release runs; it is decided first")
    failures, last = situation.failures, situation.last_training
    if failures and now < (due := _retry_at(rule, failures)):
        why = f"the training as of {format_moment(failures.last)} failed: {failures.why}"
        return TrainingDecision(train=False, why=f"{why}; the next try is due at {format_moment(due)}")
    if last is not None and now - last < rule.at_least_micros:
        return TrainingDecision(
            train=False, why=f"the last training was {_days(now - last)} ago, sooner than {rule.at_least}"
        )
    return None


def _train(rule: Retrain, situation: Situation, now: Micros) -> TrainingDecision:
    if situation.champion_as_of is None:
        return TrainingDecision(train=True, why="there is no champion")
    version, age = situation.unreleased, now - situation.champion_as_of
    if version and now - version.as_of < rule.every_micros:
        what = "could not be judged" if version.is_undecided else "waits for its release"
        due = format_moment(version.as_of + rule.every_micros)
        return TrainingDecision(train=False, why=f"version {version.number} {what}; the next training is due at {due}")
    if situation.incidents and rule.on_breach:
        return TrainingDecision(train=True, why=f"incident {_some(situation.incidents)}")
    if age >= rule.every_micros:
        return TrainingDecision(
            train=True, why=f"the champion's data is {_days(age)} old; the limit is every={rule.every}"
        )
    seen = "no incident asks for it" if not situation.incidents else "no incident starts a training (on_breach)"
    due = format_moment(situation.champion_as_of + rule.every_micros)
    return TrainingDecision(train=False, why=f"{seen}, and the champion is {_days(age)} old; due by age at {due}")


def _retry_at(rule: Retrain, failures: Failures) -> Micros:
    """Exponential backoff: 1, 2, 4, ... days after the last failure, at most ``at_least``."""
    days: Micros = DAY * 2 ** min(failures.times - 1, 10)
    return failures.last + min(days, rule.at_least_micros)


def _some(sentences: tuple[str, ...]) -> str:
    more = len(sentences) - _MOST_SENTENCES
    return "; ".join(sentences[:_MOST_SENTENCES]) + (f"; and {more} more" if more > 0 else "")


def _days(span: Micros) -> str:
    return f"{max(span, 0) / DAY:.1f} days"
