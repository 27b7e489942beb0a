"""Two arms and a rare event: the bounds of the second arm's share of the events, exact however few there are."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

PRIORS: Final = (10.0, 100.0)
"""How many events each prior weighs as much as: the small one finds large effects soon, the large one small effects
late. The mean of their Bayes factors is one again."""

_HALVINGS: Final = 40


@dataclass(frozen=True, slots=True)
class EventSplit:
    """The units of two arms that met an event, at most one each.

    Attributes:
        first: how many of the first arm.
        second: how many of the second.
        share: the share of the units that is assigned to the second arm, as declared, not as counted.
    """

    first: int
    second: int
    share: float

    @property
    def events(self) -> int:
        """How many of both arms."""
        return self.first + self.second

    def bounds(self, error: float) -> tuple[float, float]:
        """The confidence sequence of the second arm's share of the events.

        Units are assigned by chance. So each unit with an event is in the second arm with the probability ``q = w p1 /
        (w p1 + (1 - w) p0)``, where ``w`` is the arm's share of the units and ``p0``, ``p1`` are the rates: a coin,
        whatever the rates are, and ``q = w`` when they are equal. For Beta priors around ``w`` the mean Bayes factor

            mean of B(a + second, b + first) / (B(a, b) q^second (1 - q)^first)

        is a martingale when ``q`` is true (Robbins, Annals of Mathematical Statistics 41, 1970; two cells of Lindon
        and Malek, NeurIPS 2022). It ever exceeds ``1 / error`` with a probability of at most ``error`` (Ville); the
        bounds are where it does so. Nothing is taken for normal.

        >>> low, high = EventSplit(first=2, second=9, share=0.1).bounds(0.05)
        >>> round(low, 3), round(high, 3)
        (0.178, 1.0)
        """
        level = _log_mean([self._log_marginal(prior) for prior in PRIORS]) + math.log(error)
        found = self.second / self.events if self.events else self.share
        return self._crossing(level, found, 0.0), self._crossing(level, found, 1.0)

    def _log_marginal(self, prior: float) -> float:
        a, b = prior * self.share, prior * (1 - self.share)
        return _log_beta(a + self.second, b + self.first) - _log_beta(a, b)

    def _crossing(self, level: float, inside: float, outside: float) -> float:
        """Where the likelihood falls to the level, between the observed share and an end."""
        for _ in range(_HALVINGS):
            middle = (inside + outside) / 2
            inside, outside = (inside, middle) if self._log_likelihood(middle) < level else (middle, outside)
        return outside

    def _log_likelihood(self, share: float) -> float:
        return (self.second and self.second * math.log(share)) + (self.first and self.first * math.log1p(-share))

    def difference(self, rate: float, error: float, factor: float = 1.0) -> tuple[float, float]:
        """Bounds of ``second rate - factor * first rate``, of the units of each arm.

        On which side of 0 they lie is exact. How far they are from it takes the rate of both arms together as known.

        Args:
            rate: events for each unit of both arms.
            error: the probability that the true share of the events ever lies outside.
            factor: what the first arm's rate counts.
        """
        low, high = self.bounds(error)
        return self._difference(low, rate, factor), self._difference(high, rate, factor)

    def _difference(self, split: float, rate: float, factor: float) -> float:
        return rate * (split / self.share - factor * (1 - split) / (1 - self.share))


def _log_mean(logs: Sequence[float]) -> float:
    most = max(logs)
    return most + math.log(sum(math.exp(one - most) for one in logs) / len(logs))


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
