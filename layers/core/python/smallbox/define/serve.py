"""The rules of serving: how fast a model must answer, what it may remember, and how it answers when something fails."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from smallbox.define.argument_types import check_by_name, check_declared, check_kind
from smallbox.errors import DefinitionError
from smallbox.times import Micros, short_duration

OutputLimits = tuple[float | None, ...]
"""The least and the greatest value of an output that may be acted on, two numbers; ``None`` is no limit."""


@dataclass(frozen=True, slots=True)
class RateLimit:
    """How many instances each consumer may ask a model for over HTTPS: a token bucket for each IAM role or user.

    Attributes:
        rate: how many tokens a bucket gets each second; an instance takes one.
        burst: how many tokens a full bucket has: so many instances may come at once, after a pause.
    """

    rate: float
    burst: int

    def __post_init__(self) -> None:
        check_declared("RateLimit", self)
        if not (0 < self.rate < math.inf and self.burst >= 1):
            raise DefinitionError(
                f"RateLimit: rate={self.rate} must be above 0, and burst={self.burst} at least 1; leave rate_limit out "
                "for no limit"
            )


@dataclass(frozen=True, slots=True)
class Serve:
    """How a model answers over HTTPS: its time budget, what may be remembered, and how it degrades.

    Each way of degrading is marked in the answer, counted by cause, and off unless it is declared. What none of them
    mends is answered by the model's ``fallback``; without one it is an error.

    Attributes:
        budget: the longest time for what a request waits for (routing, stored features, the queue of the log), like
            ``"250ms"``; ``None``: up to four attempts of two seconds each. Loading a version, once in a process, and
            running it cannot be interrupted, and come on top.
        without_states: what answers when the stored features cannot be read in time: ``defaults`` lets the version
            answer with every stored feature missing; ``fallback`` does not.
        last_good: whether the version that served before (for a challenger: the champion) answers for one that cannot
            be loaded or run, and whether a routing that was read earlier is used when it cannot be read now.
        unlogged: whether a request is answered when the queue of the prediction log does not take its rows. The answer
            then says ``"logged": false``. The process keeps the rows and sends them with a later request; they are lost
            if it ends before.
        limits: by output, the least and the greatest value that may be acted on; a value beyond is set to the limit.
        states_for: how old a remembered state may be.
        routing_for: how old a remembered routing may be: so long a promotion may take to reach a process.
        answers_for: how old the inputs of a remembered answer may be: so long a request of one instance gets the
            outputs of an equal request before, from the same version. ``"0s"`` remembers no answers.
        rate_limit: how many instances each consumer may ask for, like ``RateLimit(rate=50, burst=1000)``; ``None``: as
            many as the API takes.
    """

    budget: str | None = None
    without_states: Literal["fallback", "defaults"] = "fallback"
    last_good: bool = False
    unlogged: bool = False
    limits: Mapping[str, OutputLimits] = field(default_factory=dict)
    states_for: str = "1s"
    routing_for: str = "1s"
    answers_for: str = "0s"
    rate_limit: RateLimit | None = None
    budget_micros: Micros | None = field(init=False)
    states_for_micros: Micros = field(init=False)
    routing_for_micros: Micros = field(init=False)
    answers_for_micros: Micros = field(init=False)

    def __post_init__(self) -> None:
        check_declared("Serve", self)
        for name in ("budget", "states_for", "routing_for", "answers_for"):
            written = getattr(self, name)
            object.__setattr__(self, f"{name}_micros", None if written is None else short_duration(written))
        if self.budget_micros == 0:
            raise DefinitionError("Serve: budget='0s' leaves no time to answer; write a duration like '250ms'")
        if self.without_states not in {"fallback", "defaults"}:
            raise DefinitionError(f"Serve: without_states={self.without_states!r} must be 'fallback' or 'defaults'")
        check_by_name("Serve: limits", self.limits, tuple, "the least and the greatest value, like (0.05, 0.95)")
        if self.rate_limit is not None:
            check_kind("Serve: rate_limit", self.rate_limit, RateLimit, "RateLimit(rate=..., burst=...)")
        for output, limits in self.limits.items():
            _check_limits(output, limits)


def _check_limits(output: str, limits: OutputLimits) -> None:
    numbers = [one for one in limits if one is not None]
    if len(limits) != 2 or not all(isinstance(one, int | float) for one in numbers) or numbers != sorted(numbers):  # noqa: PLR2004
        raise DefinitionError(
            f"Serve: limits of {output!r} are {limits!r}; write the least and the greatest value, like "
            "(0.05, 0.95), with None for no limit"
        )
