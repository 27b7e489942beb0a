"""How many searches does an interleaving need to find the better ranker, beside an A/B test of the same pair?

Run: ``python benchmarks/interleaving.py [RUNS [NULLS]]``; the default is 40 runs of each pair and 2,000 of equal rankers.

A market: every user searches three times. A search has 30 candidates with a true appeal; a ranker sees it through
noise, and the ten best are shown. A user looks at position p with the probability p^-0.7 and clicks by the appeal. Users
differ in how readily they click. The first ranker has noise 1, the second less: that is all by which it is better.

Both tests look again and again, with the same confidence sequence over independent units and the same error of 5 %:
the interleaving over users, the A/B test over pairs of users, one of each arm. Each is tuned for about its own need.
"""

import sys
from typing import Final

import numpy as np

from smallbox.arrays import Floats
from smallbox.serving.interleave import team_draft
from smallbox.statistics.preference import CreditedRows, Pairs, preference, unit_preferences
from smallbox.statistics.sequences import mean_sequence

SEARCHES: Final = 3
CANDIDATES: Final = 30
SHOWN: Final = 10
LOOKED_AT: Final = np.arange(1, SHOWN + 1) ** -0.7
NOISES: Final = (0.9, 0.8, 0.6, 0.3)
MOST_INTERLEAVED: Final = 8_000
MOST_IN_ARMS: Final = 60_000
TUNED_PAIRS: Final = 10_000


def clicked(rng: np.random.Generator, appeal: Floats, readiness: Floats) -> Floats:
    """Clicks on shown rows: appeal ``(searches, shown)``, and each search's readiness to click."""
    chance = LOOKED_AT / (1 + np.exp(2 - appeal - readiness[:, None]))
    return (rng.random(appeal.shape) < chance).astype(float)


def readiness_of(rng: np.random.Generator, users: int) -> Floats:
    """How readily the user of each search clicks, on the scale of log-odds."""
    return np.repeat(rng.normal(0, 0.5, users), SEARCHES)


def clicks_by_user(rng: np.random.Generator, noise: float, users: int) -> Floats:
    """Mean clicks of a search, of each user of one arm."""
    appeal = rng.normal(size=(users * SEARCHES, CANDIDATES))
    order = np.argsort(-(appeal + noise * rng.normal(size=appeal.shape)), axis=1)[:, :SHOWN]
    found = clicked(rng, np.take_along_axis(appeal, order, 1), readiness_of(rng, users))
    means: Floats = found.sum(1).reshape(users, SEARCHES).mean(1)
    return means


def interleaved(
    rng: np.random.Generator, noises: tuple[float, float], users: int, *, same: bool = False
) -> CreditedRows:
    """The shown rows of interleaved lists; ``same``: both rankers give the same order."""
    searches = users * SEARCHES
    appeal = rng.normal(size=(searches, CANDIDATES))
    orders = [np.argsort(-(appeal + noise * rng.normal(size=appeal.shape)), axis=1) for noise in noises]
    orders[1] = orders[0] if same else orders[1]
    ranks = [np.argsort(order, axis=1) + 1 for order in orders]
    coins = rng.random((searches, SHOWN)) < 0.5
    rows, teams = np.empty((searches, SHOWN), int), np.empty((searches, SHOWN), int)
    for search in range(searches):
        rankings = orders[0][search].tolist(), orders[1][search].tolist()
        drafted = team_draft(rankings, coins[search].__getitem__, SHOWN)
        rows[search], teams[search] = [one.row for one in drafted], [one.team for one in drafted]
    credits = clicked(rng, np.take_along_axis(appeal, rows, 1), readiness_of(rng, users))
    own, other = (np.take_along_axis(one, rows, 1) for one in ranks)
    of_search = np.repeat(np.arange(searches), SHOWN)
    return CreditedRows(
        of_search // SEARCHES,
        of_search,
        np.tile(np.arange(1, SHOWN + 1), searches),
        teams.ravel(),
        credits.ravel(),
        np.where(teams == 0, own, other).ravel(),
        np.where(teams == 0, other, own).ravel(),
    )


def looks(most: int) -> list[int]:
    """Numbers of units at which is looked, each a twentieth more than the one before."""
    return [int(one) for one in np.unique(np.geomspace(20, most, int(np.log(most / 20) / np.log(1.05))).astype(int))]


def first_verdict(preferences: Floats) -> tuple[int, str]:
    """After how many users the interleaving has a verdict, and which; all users and ``wait`` without one."""
    for users in looks(len(preferences)):
        verdict = preference(preferences[:users]).verdict
        if verdict != "wait":
            return users, verdict
    return len(preferences), "wait"


def first_in_arms(differences: Floats) -> tuple[int, str]:
    """The same of the A/B test, over pairs of users."""
    for pairs in looks(len(differences)):
        found = mean_sequence(differences[:pairs], 0.05, TUNED_PAIRS)
        if found.excludes_zero:
            return pairs, "better" if found.value > 0 else "worse"
    return len(differences), "wait"


def said(found: list[tuple[int, str]], searches: int) -> str:
    """Median searches until the verdict, and how many runs found the better and the worse ranker."""
    median = float(np.median([units for units, _ in found])) * searches
    verdicts = [verdict for _, verdict in found]
    more = ">" if 2 * verdicts.count("wait") >= len(found) else " "
    return f"{more}{median:9,.0f} {verdicts.count('better'):4}/{verdicts.count('worse')}"


def compare(noise: float, runs: int) -> None:
    """One line of the table."""
    by_pairs: dict[Pairs, list[tuple[int, str]]] = {"all": [], "competitive": []}
    in_arms, gains = [], []
    for run in range(runs):
        rng = np.random.default_rng((run, int(100 * noise)))
        ours, theirs = clicks_by_user(rng, noise, MOST_IN_ARMS), clicks_by_user(rng, 1.0, MOST_IN_ARMS)
        in_arms.append(first_in_arms(ours - theirs))
        gains.append(ours.mean() / theirs.mean() - 1)
        rows = interleaved(rng, (1.0, noise), MOST_INTERLEAVED)
        for pairs, found in by_pairs.items():
            found.append(first_verdict(unit_preferences(rows, pairs)))
    medians = [np.median([units for units, _ in found]) for found in (*by_pairs.values(), in_arms)]
    ratio = 2 * medians[2] / medians[0]
    print(
        f"{noise:5} {np.mean(gains):+7.1%}  {said(by_pairs['all'], SEARCHES):20}"
        f"{said(by_pairs['competitive'], SEARCHES):20}{said(in_arms, 2 * SEARCHES):20}{ratio:6.0f}",
        flush=True,
    )


def nulls(runs: int, users: int = 300) -> None:
    """How often two equally good rankers are told apart."""
    for same in (False, True):
        wrong: dict[Pairs, int] = {"all": 0, "competitive": 0}
        for run in range(runs):
            rows = interleaved(np.random.default_rng((run, 7)), (1.0, 1.0), users, same=same)
            for pairs in wrong:
                wrong[pairs] += first_verdict(unit_preferences(rows, pairs))[1] != "wait"
        name = "one order from both" if same else "two orders, equally good"
        shares = ", ".join(f"{pairs} pairs {count / runs:.1%}" for pairs, count in wrong.items())
        print(f"{name}: told apart in {shares} of {runs} runs of {users} users", flush=True)


def main() -> None:
    """Print the tables."""
    runs, null_runs = (int(sys.argv[at]) if len(sys.argv) > at else usual for at, usual in ((1, 40), (2, 2_000)))
    print("searches until the verdict: median, runs that found the better/the worse ranker")
    print("noise  clicks  interleaved         competitive pairs   A/B test              ratio")
    for noise in NOISES:
        compare(noise, runs)
    nulls(null_runs)


if __name__ == "__main__":
    main()
