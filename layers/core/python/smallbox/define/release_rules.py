"""The rules of a release: the rungs that a version climbs before it is champion, and what stops it."""

import math
from dataclasses import dataclass, field
from typing import Final

from smallbox.define.argument_types import check_declared, check_kind, check_several, check_share
from smallbox.define.experiments import Experiment
from smallbox.define.interleavings import Interleaving
from smallbox.errors import DefinitionError
from smallbox.times import Micros, duration, short_duration

_STEP: Final = 'a share and how long it bakes, like "10% for 1d"'


@dataclass(frozen=True, slots=True)
class Shadow:
    """Shadow by replay: a candidate scores the logged requests of the champion, and answers nobody.

    Both versions are judged on the same rows, so the unit is the difference of their losses. Rows of one day depend on
    each other, so days are counted, not rows.

    Attributes:
        max_loss_increase: non-inferiority margin: how far its mean loss may lie above the champion's, as a share of the
            champion's. 0: only a version that is better climbs on.
        max_days: after so many days without a verdict the shadow ends with "cannot tell". On half of them, with labels,
            a version climbs at the earliest, or at the end: bad days decide the mean, and few days have seldom seen
            one. One that is worse is stopped as soon as that is shown.
        confidence: 1 minus the error over all looks together: a version that is worse by more than the margin climbs on
            with at most this error, and one that is not worse is stopped with at most this error.
        max_rows: how many requests of a day are scored at most; of more, a sample by their keys.
    """

    max_loss_increase: float = 0.02
    max_days: int = 28
    confidence: float = 0.95
    max_rows: int = 20_000

    def __post_init__(self) -> None:
        check_declared("Shadow", self)
        check_share("Shadow", "max_loss_increase", self.max_loss_increase)
        if not 0.5 < self.confidence < 1:  # noqa: PLR2004 - 0.5 is a coin flip
            raise DefinitionError(f"Shadow: confidence={self.confidence} must lie between 0.5 and 1")
        if self.max_days < 2 or self.max_rows < 1:  # noqa: PLR2004 - one day has no variance
            raise DefinitionError("Shadow: max_days must be at least 2, and max_rows at least 1")


@dataclass(frozen=True, slots=True)
class CanaryStep:
    """One step of a canary.

    Attributes:
        share: the share of the units that the challenger answers, above 0 and up to 1.
        bake_micros: how long the step lasts at least, in microseconds.
    """

    share: float
    bake_micros: Micros


@dataclass(frozen=True, slots=True)
class Canary:
    """A canary: a growing share of the callers is answered by the challenger, while harm is watched.

    Attributes:
        steps: each a share and how long it bakes, like ``"10% for 1d"``. The shares grow. After the last the challenger
            is champion.
        unit: the request field whose value is always answered by the same version, like a customer; ``None``: the
            request's key, or the group of a ranking. A value never moves back while the share grows.
        max_days: a step that could not be judged for so many days after it had baked ends with "cannot tell".
    """

    steps: tuple[str, ...] = ("1% for 1h", "10% for 1d", "50% for 1d")
    unit: str | None = None
    max_days: int = 28
    parsed: tuple[CanaryStep, ...] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        check_declared("Canary", self)
        check_several("Canary: steps", self.steps, str, f"{_STEP}")
        parsed = tuple(_parsed(step) for step in self.steps)
        shares = [step.share for step in parsed]
        if not shares or shares != sorted(set(shares)):
            raise DefinitionError(f"Canary: steps={self.steps!r} must be at least one, and their shares must grow")
        if self.max_days < 1:
            raise DefinitionError(f"Canary: max_days={self.max_days} must be at least 1")
        object.__setattr__(self, "parsed", parsed)


def _parsed(step: str) -> CanaryStep:
    share, separator, bake = step.partition("% for ")
    try:
        percent = float(share) if separator else math.nan
    except ValueError:
        percent = math.nan
    if not 0 < percent <= 100:  # noqa: PLR2004 - percent
        raise DefinitionError(f"Canary: step {step!r} is not {_STEP}; the share is above 0% and at most 100%")
    return CanaryStep(percent / 100, duration(bake.strip()))


@dataclass(frozen=True, slots=True)
class HarmLimits:
    """What stops a canary: how much worse than the champion the challenger may answer. Each has a sequential test.

    A request counts once for each version that answers a part of it. Requests of one unit that fail together count less
    than as many of different units, and trouble that both versions meet in the same minutes is no harm.

    Attributes:
        error: the probability that a version which is within every limit is rolled back, over the whole canary and over
            all limits together. The guard and the daily review each spend it.
        failed: how much larger its share of requests that end in an error may be.
        slow: how much larger its share of answers later than ``slow_after`` may be.
        slow_after: when an answer is late, like ``"250ms"``.
        fallback: how much larger its share of answers from the fallback may be.
        missing: how much larger its share of answers with missing stored features may be.
        unlike_shadow: the share of its online answers that may differ from its own shadow of the same request.
        loss: how far its mean loss may lie above the champion's, as a share of the champion's, on the labels of both
            arms.
    """

    error: float = 0.05
    failed: float = 0.01
    slow: float = 0.05
    slow_after: str = "250ms"
    fallback: float = 0.01
    missing: float = 0.05
    unlike_shadow: float = 0.02
    loss: float = 0.1
    slow_after_micros: Micros = field(init=False, compare=False)

    def __post_init__(self) -> None:
        check_declared("HarmLimits", self)
        for name in ("failed", "slow", "fallback", "missing", "unlike_shadow", "loss"):
            check_share("HarmLimits", name, getattr(self, name))
        if not 0 < self.error < 0.5:  # noqa: PLR2004 - 0.5 is a coin flip
            raise DefinitionError(f"HarmLimits: error={self.error} must lie between 0 and 0.5")
        object.__setattr__(self, "slow_after_micros", short_duration(self.slow_after))


@dataclass(frozen=True, slots=True)
class Release:
    """How a version that passed the gate becomes champion: by a shadow, then by a canary.

    A rung that is left out is named in the evidence of the release. Without any the gate alone decides.

    Attributes:
        shadow: how it is judged on logged requests; ``None`` leaves the rung out.
        canary: how it takes over from the champion; ``None``: at once.
        guardrails: what stops the canary.
        roll_back: whether an incident with the remedy `roll back` that began since the champion took over makes the
            champion before it champion again, by itself. Otherwise the incident only says so.
        experiment: what `smallbox experiment` starts where the command names no outcome and no other kind: an
            `Experiment` (A/B test), or an `Interleaving`, which only a ranking has; ``None``: nothing declared.
    """

    shadow: Shadow | None = field(default_factory=Shadow)
    canary: Canary | None = field(default_factory=Canary)
    guardrails: HarmLimits = field(default_factory=HarmLimits)
    roll_back: bool = False
    experiment: Experiment | Interleaving | None = None

    def __post_init__(self) -> None:
        check_declared("Release", self)
        if self.shadow is not None:
            check_kind("Release: shadow", self.shadow, Shadow, "Shadow(...), or None to leave it out")
        if self.canary is not None:
            check_kind("Release: canary", self.canary, Canary, 'Canary(steps=("10% for 1d",)), or None to leave it out')
        check_kind("Release: guardrails", self.guardrails, HarmLimits, "HarmLimits(...)")
        if self.experiment is not None:
            kinds, write = (Experiment, Interleaving), "Experiment(outcome(...)), Interleaving(), or None"
            check_kind("Release: experiment", self.experiment, kinds, write)
