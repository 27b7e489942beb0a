"""How much are shuffled lists worth, and what may the clicks of one real policy say of another?

Run: ``python benchmarks/off_policy.py``. First it prints the effective share of shuffled lists. Then it takes the
sample of the Open Bandit data (ZOZO, CC BY 4.0): it downloads ``obp`` 0.4.1 as ``benchmarks/open_bandit.py`` does, and
says so and stops without a network. The sample has 10,000 rows of a random policy and of Bernoulli Thompson sampling
(``bts``) in each of three campaigns, 287 clicks in all. ``bts`` chose by item and position, not by user; its choice
probabilities are taken as its mean shares by position. So either log can judge the other policy, and what that truly
earned is known.
"""

import sys
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa

from smallbox.arrays import Floats
from smallbox.statistics.estimates import mean_estimate
from smallbox.statistics.off_policy import WeightedRows, judge_policy

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import open_bandit


def shares(table: pa.Table, items: int, positions: int) -> Floats:
    """How often a policy showed each item at each position, ``(positions, items)``; each position adds up to 1."""
    at = table["position"].to_numpy() - 1
    counts = np.zeros((positions, items))
    np.add.at(counts, (at, table["item_id"].to_numpy()), 1)
    found: Floats = counts / counts.sum(1, keepdims=True)
    return found


def weighted(logged: pa.Table, policy: Floats) -> WeightedRows:
    """The rows of a log under another policy; each row is a unit, since the sample does not say whose rows they are."""
    at, item = logged["position"].to_numpy() - 1, logged["item_id"].to_numpy()
    clicks, chances = logged["click"].to_numpy().astype(float), logged["propensity_score"].to_numpy()
    nothing = np.zeros(len(clicks))
    return WeightedRows(np.arange(len(clicks)), clicks, chances, policy[at, item], chances, nothing, nothing)


def effective_share(share: float, within: int, moved: int, lists: int = 100_000) -> float:
    """Of lists of one block, how many that weigh alike a candidate has that moves so many of its rows, as a share."""
    rng = np.random.default_rng(0)
    order = np.tile(np.arange(within), (lists, 1))
    shuffled = rng.random(lists) < share
    order[shuffled] = rng.permuted(order[shuffled], axis=1)
    wished = np.concatenate((np.roll(np.arange(moved), 1), np.arange(moved, within)))
    chance = share / within + (1 - share) * (order == np.arange(within))
    sums = ((order == wished) / chance).sum(1)
    return float(sums.sum() ** 2 / (sums**2).sum()) / lists


def print_effective_shares() -> None:
    """How much a shuffled share of the lists is worth, by how many rows of a block the candidate moves."""
    print("share  block  effective share of the lists, by rows that the candidate moves")
    for share in (0.02, 0.05, 0.1, 0.2):
        for within in (4, 10):
            moved = [one for one in (2, 4, 7, 10) if one <= within]
            said = ", ".join(f"{one}: {effective_share(share, within, one):.1%}" for one in moved)
            print(f"{share:5}  {within:5}  {said}")


def main() -> None:
    """Print for each campaign and direction what the judge says, and what the other policy truly earned."""
    print_effective_shares()
    found = open_bandit.wheel()
    if found is None:
        print("skipped: obp 0.4.1 could not be downloaded")
        return
    with zipfile.ZipFile(found) as archive:
        for campaign in open_bandit.CAMPAIGNS:
            tables = {name: open_bandit.rows(archive, name, campaign) for name in ("random", "bts")}
            items = 1 + max(int(table["item_id"].to_numpy().max()) for table in tables.values())
            positions = max(int(table["position"].to_numpy().max()) for table in tables.values())
            for logged, judged in (("random", "bts"), ("bts", "random")):
                rates = {name: mean_estimate(table["click"].to_numpy().astype(float)) for name, table in tables.items()}
                said = judge_policy(weighted(tables[logged], shares(tables[judged], items, positions)))
                true = rates[judged].value - rates[logged].value
                error = 1.96 * float(np.hypot(rates[judged].standard_error, rates[logged].standard_error))
                print(f"{campaign:6} {said.sentence(judged, logged)}")
                print(f"       truly {true:+.4f} +-{error:.4f}; verdict {said.verdict}; effective {said.effective:.0f}")


if __name__ == "__main__":
    main()
