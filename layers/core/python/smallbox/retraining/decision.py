"""Whether to train again: a decision, and always the reason for it."""

from dataclasses import dataclass, replace
from typing import Final

from smallbox.define.rules import Retrain
from smallbox.times import DAY, Micros, format_moment

_MOST_SENTENCES: Final = 3


@dataclass(frozen=True, slots=True)
class Failures:
    """The training runs that failed one after another since the last that did not.

    Attributes:
        times: how many.
        last: the ``as_of`` of the last one.
        why: it failed.
    """

    times: int
    last: Micros
    why: str


@dataclass(frozen=True, slots=True)
class Unreleased:
    """The last version, where it does not serve and was not found worse: it waits for a canary, or is undecided."""

    number: int
    as_of: Micros
    is_undecided: bool


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known when the decision is made.

    Attributes:
        champion_as_of: the moment up to which the champion's data was known; ``None`` without a champion.
        last_training: the ``as_of`` of the last training run that was started and has not failed; ``None`` when there
            was none.
        canary: whether a version is in a canary.
        breaches: what breached on the day and training may mend, one sentence each.
        failures: the runs that failed since.
        unreleased: the last version, where nothing is decided about it.
        yesterday: what became of trainings since the day before, one sentence each.
    """

    champion_as_of: Micros | None
    last_training: Micros | None
    canary: bool
    breaches: tuple[str, ...]
    failures: Failures | None = None
    unreleased: Unreleased | None = None
    yesterday: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TrainingDecision:
    """Whether to train, and why."""

    train: bool
    why: str


def decide(rule: Retrain, situation: Situation, now: Micros) -> TrainingDecision:
    """Decide at a moment.

    In this order: under a canary it does not, since two changes at once explain nothing; after failures it waits, twice
    as long each time; sooner than ``at_least`` after the last run it does not; without a champion it trains; while
    nothing is decided about the last version it waits for ``every``, since another would meet the same; on a breach it
    trains, when the rule says so; when the champion's data is older than ``every`` it does; otherwise it does not.
    """
    decision = _wait(rule, situation, now) or _train(rule, situation, now)
    if not situation.yesterday:
        return decision
    return replace(decision, why="; ".join([decision.why, *situation.yesterday]))


def _wait(rule: Retrain, situation: Situation, now: Micros) -> TrainingDecision | None:
    if situation.canary:
        return TrainingDecision(train=False, why="a version is in a canary; it is decided first")
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
        what = "could not be judged" if version.is_undecided else "waits for its canary"
        due = format_moment(version.as_of + rule.every_micros)
        return TrainingDecision(train=False, why=f"version {version.number} {what}; the next training is due at {due}")
    if situation.breaches and rule.on_breach:
        return TrainingDecision(train=True, why=f"breached: {_some(situation.breaches)}")
    if age >= rule.every_micros:
        return TrainingDecision(train=True, why=f"the champion's data is {_days(age)} old, {rule.every} is the most")
    seen = "nothing breached" if not situation.breaches else "no breach starts a training (on_breach)"
    due = format_moment(situation.champion_as_of + rule.every_micros)
    return TrainingDecision(train=False, why=f"{seen}, and the champion is {_days(age)} old; due by age at {due}")


def _retry_at(rule: Retrain, failures: Failures) -> Micros:
    """A day after the first failure, two after the second, four after the third, up to ``at_least``."""
    days: Micros = DAY * 2 ** min(failures.times - 1, 10)
    return failures.last + min(days, rule.at_least_micros)


def _some(sentences: tuple[str, ...]) -> str:
    more = len(sentences) - _MOST_SENTENCES
    return "; ".join(sentences[:_MOST_SENTENCES]) + (f"; and {more} more" if more > 0 else "")


def _days(span: Micros) -> str:
    return f"{max(span, 0) / DAY:.1f} days"
