"""Which of two rankings people prefer, from the credit that each earned in interleaved lists."""

import math
from dataclasses import dataclass
from typing import Final, Literal

from smallbox.arrays import Bools, Floats, Ints, np
from smallbox.statistics.sequences import ConfidenceSequence, mean_sequence

MIN_DECIDED: Final = 30
"""Units with a preference before there is a verdict: the sequence takes the mean of the units for about normal."""

TUNED_FOR: Final = 1_000
"""At about how many units the sequence is narrowest."""

_SIGN_PRIOR: Final = 5.0

Pairs = Literal["all", "competitive", "balanced"]
"""What counts of a list: all rounds of a team draft; those in which the two rankings would have picked different rows;
or of a balanced list the clicks that either ranking would have shown as early."""


@dataclass(frozen=True, slots=True, eq=False)
class CreditedRows:
    """``n`` shown rows of interleaved lists.

    Attributes:
        units: ``(n,)`` the number of each row's unit, like its user.
        groups: ``(n,)`` the number of its list.
        positions: ``(n,)`` its position, from 1.
        teams: ``(n,)`` the ranking that put it there, 0 or 1.
        credits: ``(n,)`` what it earned, like its grade; 0 or more.
        own_ranks: ``(n,)`` its rank by that ranking, from 1.
        other_ranks: ``(n,)`` its rank by the other one.
    """

    units: Ints
    groups: Ints
    positions: Ints
    teams: Ints
    credits: Floats
    own_ranks: Ints
    other_ranks: Ints

    def __len__(self) -> int:
        return len(self.units)


def unit_preferences(rows: CreditedRows, pairs: Pairs = "all") -> Floats:
    """How far each unit prefers the second ranking: -1 to 1.

    Of a list it is ``(credit of the second - credit of the first) / credit of both``, 0 without credit; of a unit the
    mean over its lists. Two equal rankings have the mean 0 whatever people do, because a fair coin gives the rows out.

    Competitive pairs leave out the rounds in which both rankings would have picked the same row: there the coin alone
    decides who has the credit. A round is competitive when the second picker ranks its own pick before the first one's.
    A round of which one row alone was shown is left out too.

    Of a balanced list the lowest row with credit decides how far to look: to the depth at which one of the rankings has
    it. A ranking has the credit of the rows that it has within that depth (Joachims, KDD 2002).
    """
    _, lists, firsts = _numbered(rows.groups)
    seconds, first_ones = _credit_by_depth(rows, lists) if pairs == "balanced" else _credit_by_team(rows, pairs)
    difference = np.bincount(lists, seconds - first_ones)
    total = np.bincount(lists, seconds + first_ones)
    preferred = np.divide(difference, total, out=np.zeros(len(total)), where=total > 0)
    _, units, _ = _numbered(rows.units[firsts])
    found: Floats = np.bincount(units, preferred) / np.bincount(units)
    return found


def _credit_by_team(rows: CreditedRows, pairs: Pairs) -> tuple[Floats, Floats]:
    """What each row earned for the second and for the first ranking: all for the one that put it there."""
    counted = rows.credits * _competitive(rows) if pairs == "competitive" else rows.credits
    return np.where(rows.teams == 1, counted, 0.0), np.where(rows.teams == 0, counted, 0.0)


def _credit_by_depth(rows: CreditedRows, lists: Ints) -> tuple[Floats, Floats]:
    """The same of balanced lists: for each ranking that has the row within the depth of its list."""
    second = np.where(rows.teams == 1, rows.own_ranks, rows.other_ranks)
    first = np.where(rows.teams == 0, rows.own_ranks, rows.other_ranks)
    lowest = np.zeros(int(lists.max(initial=-1)) + 1, np.int64)
    np.maximum.at(lowest, lists, np.where(rows.credits > 0, rows.positions, 0))
    is_lowest = rows.positions == lowest[lists]
    depths = np.zeros(len(lowest), np.int64)
    np.maximum.at(depths, lists, np.where(is_lowest, np.minimum(first, second), 0))
    depth = depths[lists]
    return np.where(second <= depth, rows.credits, 0.0), np.where(first <= depth, rows.credits, 0.0)


def _numbered(names: Ints) -> tuple[Ints, Ints, Ints]:
    """The names in order, the number of each row's name, and the first row of each name."""
    unique, firsts, numbers = np.unique(names, return_index=True, return_inverse=True)
    return unique, numbers, firsts


def _competitive(rows: CreditedRows) -> Bools:
    """Whether each row's round was competitive."""
    order = np.lexsort((rows.positions, rows.groups))
    groups, positions = rows.groups[order], rows.positions[order]
    begins = (positions % 2 == 1)[:-1] & (groups[1:] == groups[:-1]) & (positions[1:] == positions[:-1] + 1)
    differ = rows.other_ranks[order][:-1] > rows.own_ranks[order][1:]
    first = np.flatnonzero(begins & differ)
    found = np.zeros(len(rows), bool)
    found[order[first]] = found[order[first + 1]] = True
    return found


@dataclass(frozen=True, slots=True)
class Preference:
    """What interleaved lists say of two rankings.

    Attributes:
        sequence: the mean preference of a unit for the second ranking, -1 to 1, with bounds that hold at every look.
        second: how many units prefer the second ranking.
        first: how many prefer the first.
        sign_p: the p-value of the sign test over these, valid at every look.
        deviation: the standard deviation of a unit's preference; 0 below two units.
        verdict: of the second ranking: ``better``, ``worse``, or ``wait``.
    """

    sequence: ConfidenceSequence
    second: int
    first: int
    sign_p: float
    deviation: float
    verdict: Literal["better", "worse", "wait"]

    def sentence(self, first: str, second: str, unit: str = "units") -> str:
        """The verdict for people, with the names of the two rankings."""
        decided = self.first + self.second
        counted = f"{self.second} of {decided} {unit} with a preference prefer {second}"
        if self.verdict == "wait":
            few = f"fewer than {MIN_DECIDED} {unit} have one" if decided < MIN_DECIDED else "that may be chance"
            return f"It cannot be told yet which of {first} and {second} is preferred: {counted}; {few}."
        one, other = (second, first) if self.verdict == "better" else (first, second)
        found = self.sequence
        bounds = f"mean preference {found.value:+.3f}, between {found.low:+.3f} and {found.high:+.3f} at every look"
        return f"{one} is preferred to {other}: {counted} ({bounds}; sign test p = {self.sign_p:.2g})."


def preference(preferences: Floats, error: float = 0.05, tuned_for: int = TUNED_FOR) -> Preference:
    """Judge the :func:`unit_preferences`.

    The verdict is that of the confidence sequence over units, once enough of them have a preference. A unit that comes
    back changes its value between two looks; the bounds take each look's values as they are.

    Args:
        preferences: of each unit.
        error: the probability that two equal rankings are ever told apart.
        tuned_for: at about how many units the bounds are narrowest.
    """
    found = mean_sequence(preferences, error, tuned_for)
    second, first = int((preferences > 0).sum()), int((preferences < 0).sum())
    verdict: Literal["better", "worse", "wait"] = "wait"
    if first + second >= MIN_DECIDED and found.excludes_zero:
        verdict = "better" if found.value > 0 else "worse"
    deviation = float(preferences.std(ddof=1)) if found.units > 1 else 0.0
    return Preference(found, second, first, sign_test(second, first), deviation, verdict)


def sign_test(second: int, first: int) -> float:
    """The p-value of a fair coin, valid at every look: the inverse of a Bayes factor.

    The alternative is a Beta prior around one half; its Bayes factor against the fair coin is a test martingale
    (Ville; Robbins, Annals of Mathematical Statistics 41, 1970): ``2^n B(a + second, a + first) / B(a, a)``.

    >>> sign_test(10, 10), round(sign_test(40, 10), 5)
    (1.0, 0.00084)
    """
    a = _SIGN_PRIOR
    factor = (second + first) * math.log(2) + _log_beta(a + second, a + first) - _log_beta(a, a)
    return math.exp(min(0.0, -factor))


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
