"""How many searches does an interleaving need to find the better ranker, beside an A/B test of the same pair?

Run: ``python benchmarks/interleaving.py [RUNS [NULLS]]``; the default is 40 runs a pair and 2,000 of equal rankers.

A market: every user searches three times. A search has 30 candidates with a true appeal; a ranker sees it through
noise, some of it the same for both rankers, and the ten best are shown. A user looks at position p with the probability
p^-0.7 and clicks by the appeal. Users differ in how readily they click. The second ranker has less noise of its own:
that is all by which it is better.

Both tests look again and again, with the same confidence sequence over independent units and the same error of 5 %:
the interleaving over users, the A/B test over pairs of users, one of each arm. Each is tuned for about its own need.
"""

import sys
import time
from typing import Final

import numpy as np

from smallbox.arrays import Floats, Ints
from smallbox.serving.interleave import team_draft
from smallbox.statistics.preference import CreditedRows, Pairs, preference, unit_preferences
from smallbox.statistics.sequences import mean_sequence

SEARCHES: Final = 3
CANDIDATES: Final = 30
SHOWN: Final = 10
LOOKED_AT: Final = np.arange(1, SHOWN + 1) ** -0.7
PAIRS_OF_RANKERS: Final = (
    (0.0, 1.0, 0.9), (0.0, 1.0, 0.8), (0.0, 1.0, 0.6), (0.0, 1.0, 0.3), (0.8, 0.6, 0.45), (0.8, 0.6, 0.3),
    (0.8, 0.6, 0.0), (0.95, 0.3, 0.0),
)  # fmt: skip
"""The noise that both rankers share, and the noise of the first and of the second ranker alone."""
CHUNK: Final = 1_000
MOST_INTERLEAVED: Final = 20_000
MOST_IN_ARMS: Final = 60_000
TUNED_PAIRS: Final = 10_000

Noises = tuple[float, float, float]


def clicked(rng: np.random.Generator, appeal: Floats, readiness: Floats) -> Floats:
    """Clicks on shown rows: appeal ``(searches, shown)``, and each search's readiness to click."""
    chance = LOOKED_AT / (1 + np.exp(2 - appeal - readiness[:, None]))
    found: Floats = (rng.random(appeal.shape) < chance).astype(float)
    return found


def readiness_of(rng: np.random.Generator, users: int) -> Floats:
    """How readily the user of each search clicks, on the scale of log-odds."""
    return np.repeat(rng.normal(0, 0.5, users), SEARCHES)


def orders_of(rng: np.random.Generator, appeal: Floats, noises: Noises) -> list[Ints]:
    """The order of each search's candidates by both rankers."""
    shared, *own = noises
    seen = appeal + shared * rng.normal(size=appeal.shape)
    return [np.argsort(-(seen + noise * rng.normal(size=appeal.shape)), axis=1) for noise in own]


def arm_differences(rng: np.random.Generator, noises: Noises, pairs: int) -> tuple[Floats, Floats]:
    """Of pairs of users, one of each arm: clicks a search of the second less the first, and of the first."""
    means = []
    for arm in (0, 1):
        appeal = rng.normal(size=(pairs * SEARCHES, CANDIDATES))
        order = orders_of(rng, appeal, noises)[arm][:, :SHOWN]
        found = clicked(rng, np.take_along_axis(appeal, order, 1), readiness_of(rng, pairs))
        means.append(found.sum(1).reshape(pairs, SEARCHES).mean(1))
    return means[1] - means[0], means[0]


def interleaved(rng: np.random.Generator, noises: Noises, users: int, *, same: bool = False) -> CreditedRows:
    """The shown rows of interleaved lists; ``same``: both rankers give the same order."""
    searches = users * SEARCHES
    appeal = rng.normal(size=(searches, CANDIDATES))
    orders = orders_of(rng, appeal, noises)
    orders[1] = orders[0] if same else orders[1]
    ranks = [np.argsort(order, axis=1) + 1 for order in orders]
    coins = rng.random((searches, SHOWN)) < 0.5
    rows, teams = np.empty((searches, SHOWN), int), np.empty((searches, SHOWN), int)
    for search in range(searches):
        rankings = orders[0][search].tolist(), orders[1][search].tolist()
        drafted = team_draft(rankings, coins[search].__getitem__, SHOWN)
        rows[search], teams[search] = [one.row for one in drafted], [one.team for one in drafted]
    earned = clicked(rng, np.take_along_axis(appeal, rows, 1), readiness_of(rng, users))
    own, other = (np.take_along_axis(one, rows, 1) for one in ranks)
    of_search = np.repeat(np.arange(searches), SHOWN)
    return CreditedRows(
        of_search // SEARCHES,
        of_search,
        np.tile(np.arange(1, SHOWN + 1), searches),
        teams.ravel(),
        earned.ravel(),
        np.where(teams == 0, own, other).ravel(),
        np.where(teams == 0, other, own).ravel(),
    )


def looks(most: int) -> list[int]:
    """Numbers of units at which is looked, each a twentieth more than the one before."""
    return [int(one) for one in np.unique(np.geomspace(20, most, int(np.log(most / 20) / np.log(1.05))).astype(int))]


def first_verdict(preferences: Floats, since: int = 0) -> tuple[int, str]:
    """After how many users the interleaving has a verdict, and which; all users and ``wait`` without one."""
    for users in looks(len(preferences)):
        verdict = preference(preferences[:users]).verdict if users > since else "wait"
        if verdict != "wait":
            return users, verdict
    return len(preferences), "wait"


def run_interleaving(rng: np.random.Generator, noises: Noises) -> dict[Pairs, tuple[int, str]]:
    """One interleaving until both ways to count have a verdict."""
    seen: dict[Pairs, Floats] = {"all": np.empty(0), "competitive": np.empty(0)}
    found: dict[Pairs, tuple[int, str]] = dict.fromkeys(seen, (0, "wait"))
    for users in range(0, MOST_INTERLEAVED, CHUNK):
        rows = interleaved(rng, noises, CHUNK)
        for pairs, before in seen.items():
            seen[pairs] = np.concatenate((before, unit_preferences(rows, pairs)))
            found[pairs] = found[pairs] if found[pairs][1] != "wait" else first_verdict(seen[pairs], users)
        if all(verdict != "wait" for _, verdict in found.values()):
            break
    return found


def run_arms(rng: np.random.Generator, noises: Noises) -> tuple[int, str]:
    """One A/B test: after how many pairs of users it has a verdict, and which; all pairs without one."""
    differences = np.empty(0)
    for since in range(0, MOST_IN_ARMS, CHUNK):
        differences = np.concatenate((differences, arm_differences(rng, noises, CHUNK)[0]))
        for pairs in looks(len(differences)):
            found = mean_sequence(differences[:pairs], 0.05, TUNED_PAIRS) if pairs > since else None
            if found is not None and found.excludes_zero:
                return pairs, "better" if found.value > 0 else "worse"
    return len(differences), "wait"


def said(found: list[tuple[int, str]], searches: int) -> str:
    """Median searches until the verdict, and how many runs found the better and the worse ranker."""
    median = float(np.median([units for units, _ in found])) * searches
    verdicts = [verdict for _, verdict in found]
    more = ">" if 2 * verdicts.count("wait") >= len(found) else " "
    return f"{more}{median:9,.0f} {verdicts.count('better'):4}/{verdicts.count('worse')}"


def compare(noises: Noises, runs: int) -> None:
    """One line of the table."""
    in_arms, every, competitive = [], [], []
    for run in range(runs):
        seed = (run, *(int(100 * noise) for noise in noises))
        in_arms.append(run_arms(np.random.default_rng(seed), noises))
        both = run_interleaving(np.random.default_rng((1, *seed)), noises)
        every.append(both["all"])
        competitive.append(both["competitive"])
    differences, clicks = arm_differences(np.random.default_rng(0), noises, 50_000)
    gain = differences.mean() / clicks.mean()
    ratio = 2 * np.median([units for units, _ in in_arms]) / np.median([units for units, _ in every])
    print(
        f"{noises!s:18} {gain:+7.1%}  {said(every, SEARCHES):20}{said(competitive, SEARCHES):20}"
        f"{said(in_arms, 2 * SEARCHES):20}{ratio:6.1f}",
        flush=True,
    )


def nulls(runs: int, users: int = 300) -> None:
    """How often two equally good rankers are told apart."""
    for same in (False, True):
        wrong: dict[Pairs, int] = {"all": 0, "competitive": 0}
        for run in range(runs):
            rows = interleaved(np.random.default_rng((run, 7)), (0.0, 1.0, 1.0), users, same=same)
            for pairs in wrong:
                wrong[pairs] += first_verdict(unit_preferences(rows, pairs))[1] != "wait"
        name = "one order from both" if same else "two orders, equally good"
        shares = ", ".join(f"{pairs} pairs {count / runs:.1%}" for pairs, count in wrong.items())
        print(f"{name}: told apart in {shares} of {runs} runs of {users} users", flush=True)


def draft_times(rows: int = 500) -> None:
    """How long a draft with its probabilities takes, of two rankings that are much alike."""
    rng = np.random.default_rng(0)
    appeal = rng.normal(size=rows)
    rankings = tuple(np.argsort(-(appeal + 0.3 * rng.normal(size=rows))).tolist() for _ in range(2))
    for positions in (10, 50, rows):
        began = time.perf_counter()
        for _ in range(20):
            team_draft((rankings[0], rankings[1]), lambda turn: turn % 3 == 0, positions)
        print(f"{positions} positions of {rows} candidates: {(time.perf_counter() - began) / 20 * 1e3:.2f} ms")


def main() -> None:
    """Print the tables."""
    draft_times()
    runs, null_runs = (int(sys.argv[at]) if len(sys.argv) > at else usual for at, usual in ((1, 40), (2, 2_000)))
    print("searches until the verdict: median, runs that found the better/the worse ranker")
    print("noise: shared, own  clicks  interleaved         competitive pairs   A/B test              ratio")
    for noises in PAIRS_OF_RANKERS:
        compare(noises, runs)
    nulls(null_runs)


if __name__ == "__main__":
    main()
