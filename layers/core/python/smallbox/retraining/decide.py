"""Whether to train again: a decision with a reason, whichever way it goes."""

from dataclasses import dataclass
from typing import Final

from smallbox.define.rules import Retrain
from smallbox.times import DAY, Micros, format_moment

_MOST_SENTENCES: Final = 3


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known when the decision is made.

    Attributes:
        champion_as_of: the moment up to which the champion's data was known; ``None`` without a champion.
        last_training: the ``as_of`` of the last training run that was started; ``None`` when there was none.
        canary: whether a version is in a canary.
        breaches: what breached on the day, one sentence each.
    """

    champion_as_of: Micros | None
    last_training: Micros | None
    canary: bool
    breaches: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether to train, and why."""

    train: bool
    why: str


def decide(rule: Retrain, situation: Situation, now: Micros) -> Decision:
    """Decide at a moment.

    In this order: under a canary it does not, since two changes at once explain nothing; sooner than ``at_least`` after
    the last run it does not; without a champion it trains; on a breach it does, when the rule says so; when the
    champion's data is older than ``every`` it does; otherwise it does not.
    """
    if situation.canary:
        return Decision(train=False, why="a version is in a canary; it is decided first")
    last = situation.last_training if situation.last_training is not None else situation.champion_as_of
    if last is not None and now - last < rule.at_least_micros:
        return Decision(train=False, why=f"the last training was {_days(now - last)} ago, sooner than {rule.at_least}")
    if situation.champion_as_of is None:
        return Decision(train=True, why="there is no champion")
    if situation.breaches and rule.on_breach:
        return Decision(train=True, why=f"breached: {_some(situation.breaches)}")
    age = now - situation.champion_as_of
    if age >= rule.every_micros:
        return Decision(train=True, why=f"the champion's data is {_days(age)} old, {rule.every} is the most")
    due = format_moment(situation.champion_as_of + rule.every_micros)
    return Decision(train=False, why=f"nothing breached, and the champion is {_days(age)} old; due by age at {due}")


def _some(sentences: tuple[str, ...]) -> str:
    more = len(sentences) - _MOST_SENTENCES
    return "; ".join(sentences[:_MOST_SENTENCES]) + (f"; and {more} more" if more > 0 else "")


def _days(span: Micros) -> str:
    return f"{max(span, 0) / DAY:.1f} days"
