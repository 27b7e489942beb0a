"""Whether recent days differ from the days before in all features together: a two-sample test by a classifier.

A linear discriminant tells recent days from earlier ones, each day by a classifier that has not seen it. The unit is
the day: what decides is how the recent days compare with every other run of as many days, whether they lie together by
chance, as rainy days do, or not (a block permutation; Politis, Romano, Wolf, Subsampling, 1999; for the classifier
test Lopez-Paz and Oquab, ICLR 2017).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from smallbox.arrays import Bools, Floats, Ints, np
from smallbox.statistics.ranking import auc

_RIDGE: Final = 1e-3
"""Added to the covariance, as a share of each feature's own variance: features may repeat each other."""

GAP_DAYS: Final = 4
"""So many days on both sides of a run are left out. Else the last run, which has neighbours on one side, would stand
out by its place alone where days remember those before them."""

MIN_DAYS_BEFORE: Final = 28
MIN_RECENT_DAYS: Final = 5


@dataclass(frozen=True, slots=True)
class JointShift:
    """What tells the recent days apart.

    Attributes:
        auc: how well a row of a recent day is told from a row of an earlier day, by a classifier that has seen neither
            day; 0.5: not at all.
        rank: how unusual the recent days are among all runs of as many days; 1: no run is told apart better.
        runs: how many runs there are.
        carriers: what tells them apart, with its share, the largest first.
    """

    auc: float
    rank: int
    runs: int
    carriers: Sequence[tuple[str, float]]

    @property
    def is_certain(self) -> bool:
        """Whether no other run of days differs as much: without a change so once in as many tests as there are runs."""
        return self.rank == 1

    def as_json(self) -> dict[str, Any]:
        """For the report."""
        carriers = [{"feature": name, "share": share} for name, share in self.carriers]
        return {"auc": self.auc, "rank": self.rank, "runs": self.runs, "carriers": carriers}


def joint_shift(features: Floats, names: Sequence[str], days: Ints, since: int) -> JointShift | None:
    """Compare the days since one with those before it.

    Runs of days are taken from the days as a circle, so that each day is in as many of them.

    Args:
        features: ``(n, m)``, none missing.
        names: ``(m,)`` what each is told as; features with one name are told together.
        days: ``(n,)`` the day of each row.
        since: the first recent day.

    Returns:
        ``None`` with fewer than 28 days before or 5 recent ones, or when nothing varies.
    """
    found, codes, sizes = np.unique(days, return_inverse=True, return_counts=True)
    recent = found >= since
    if (~recent).sum() < MIN_DAYS_BEFORE or recent.sum() < MIN_RECENT_DAYS:
        return None
    varies = features.std(axis=0) > 0
    if not varies.any():
        return None
    days_seen = _Days(features[:, varies], codes, sizes)
    runs = _runs(recent)
    apart = days_seen.apart(runs)
    carriers = days_seen.carriers([name for name, kept in zip(names, varies, strict=True) if kept], recent)
    rank = 1 + int((apart[:-1] >= apart[-1]).sum())
    return JointShift(days_seen.auc(recent), rank, len(runs), carriers)


def _runs(recent: Bools) -> Bools:
    """All runs of as many days as are recent, ``(days, days)``, the recent one last."""
    return np.array([np.roll(recent, shift) for shift in range(1, len(recent) + 1)])


def _apart(runs: Bools) -> Bools:
    """The days that each run is compared with: not those just before and after it, which it resembles."""
    near = np.any([np.roll(runs, shift, axis=1) for shift in range(-GAP_DAYS, GAP_DAYS + 1)], axis=0)
    return np.asarray(~near, bool)


class _Days:
    """Features by day, scaled so that usual days differ alike in all directions."""

    def __init__(self, features: Floats, codes: Ints, sizes: Ints) -> None:
        self._features, self._codes = features, codes
        member = np.zeros((len(sizes), len(codes)))
        member[codes, np.arange(len(codes))] = 1 / sizes[codes]
        self._means = member @ features
        within = features - self._means[codes]
        by_chance = within.T @ within / max(len(codes) - len(sizes), 1) / float(sizes.mean())
        spread = np.cov(self._means.T).reshape(by_chance.shape) + by_chance
        self._spread = spread + np.diag(_RIDGE * np.diag(spread))

    def apart(self, runs: Bools) -> Floats:
        """By run how far its days lie from the others, each day scored without itself, ``(runs,)``."""
        centred = self._means - self._means.mean(axis=0)
        together = centred @ np.linalg.solve(self._spread, centred.T)
        others = _apart(runs)
        own, count, rest = np.diag(together), runs.sum(axis=1, keepdims=True), others.sum(axis=1, keepdims=True)
        inside, outside = runs @ together, others @ together
        of_run = (inside - own) / (count - 1) - outside / rest
        of_others = inside / count - (outside - own) / (rest - 1)
        return np.asarray((of_run * runs).sum(axis=1) / count[:, 0] - (of_others * others).sum(axis=1) / rest[:, 0])

    def auc(self, recent: Bools) -> float:
        """How well rows are told apart, each by the classifier that has not seen its day."""
        weights, scores = self._classifiers(recent), np.empty(len(self._codes))
        for day, (weight, middle) in enumerate(weights):
            rows = self._codes == day
            scores[rows] = (self._features[rows] - middle) @ weight
        return auc(scores, recent[self._codes]).value

    def _classifiers(self, recent: Bools) -> list[tuple[Floats, Floats]]:
        """For each day the direction and the middle of a classifier of all other days."""
        found = []
        for day in range(len(recent)):
            others = np.arange(len(recent)) != day
            new, old = (self._means[others & which].mean(axis=0) for which in (recent, ~recent))
            found.append((np.linalg.solve(self._spread, new - old), (new + old) / 2))
        return found

    def carriers(self, names: Sequence[str], recent: Bools) -> list[tuple[str, float]]:
        """The share of each name in the distance between recent and other days; shares below 0 are 0."""
        difference = self._means[recent].mean(axis=0) - self._means[~recent].mean(axis=0)
        parts = difference * np.linalg.solve(self._spread, difference)
        by_name: dict[str, float] = {}
        for name, part in zip(names, parts.tolist(), strict=True):
            by_name[name] = by_name.get(name, 0.0) + part
        positive = {name: max(part, 0.0) for name, part in by_name.items()}
        total = max(sum(positive.values()), 1e-300)
        return sorted(((name, part / total) for name, part in positive.items()), key=lambda one: -one[1])
