"""What the figures of exposure say of real recommendations: the sample of the Open Bandit data (ZOZO, CC BY 4.0).

Run: ``python benchmarks/open_bandit.py``. It downloads the package ``obp`` 0.4.1 without its dependencies into
``.build/`` (not committed), and says so and stops without a network. Two policies answered at the same time: ``random``
(uniform) and ``bts`` (Bernoulli Thompson sampling); 10,000 rows each in each campaign.
"""

import io
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
from pyarrow import csv

from smallbox.arrays import Floats
from smallbox.monitoring.feedback_loop import Exposures, loop_reading
from smallbox.statistics.exposure import gini, repeat_rate, shown_share, top_share

FOLDER: Final = Path(__file__).parents[1] / ".build" / "open_bandit"
CAMPAIGNS: Final = ("all", "men", "women")


def wheel() -> Path | None:
    """The downloaded package; ``None`` where it cannot be had."""
    found = next(FOLDER.glob("obp-0.4.1*.whl"), None)
    if found is None:
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "-q", "-d", str(FOLDER), "obp==0.4.1"]
        subprocess.run(command, check=False)  # noqa: S603 - a fixed command
        found = next(FOLDER.glob("obp-0.4.1*.whl"), None)
    return found


def rows(archive: zipfile.ZipFile, policy: str, campaign: str) -> pa.Table:
    """The rows that one policy answered in one campaign."""
    content = archive.read(f"obp/dataset/obd/{policy}/{campaign}/{campaign}.csv")
    return csv.read_csv(io.BytesIO(content))


def by_day(table: pa.Table, items: int) -> tuple[Floats, Floats]:
    """Exposures and clicks by day, each ``(days, items)``."""
    names = [str(one)[:10] for one in table["timestamp"].to_pylist()]
    days = np.unique(names, return_inverse=True)[1]
    found = np.zeros((2, int(days.max()) + 1, items))
    for at, values in enumerate((np.ones(len(days)), table["click"].to_numpy())):
        np.add.at(found[at], (days, table["item_id"].to_numpy()), values)
    return found[0], found[1]


def main() -> None:
    """Print the table, and what the detector says of it."""
    found = wheel()
    if found is None:
        print("skipped: obp 0.4.1 could not be downloaded")
        return
    print("campaign policy   rows clicks items  Gini top 10 % coverage repeat x items  propensity least, most")
    clicks = 0
    with zipfile.ZipFile(found) as archive:
        for campaign in CAMPAIGNS:
            counts, gained = {}, {}
            for policy in ("random", "bts"):
                table = rows(archive, policy, campaign)
                items, click = table["item_id"].to_numpy(), table["click"].to_numpy()
                chances = table["propensity_score"].to_numpy()
                size = int(items.max()) + 1
                counts[policy], gained[policy] = by_day(table, size)
                clicks += int(click.sum())
                one = counts[policy].sum(0)
                print(
                    f"{campaign:8} {policy:7} {len(items):6} {click.sum():6} {size:5} {gini(one):5.2f} "
                    f"{top_share(one):8.0%} {shown_share(one):8.0%} {repeat_rate(one) * size:14.2f}  "
                    f"{chances.min():.5f}, {chances.max():.3f}"
                )
            parts = counts["bts"], counts["random"], gained["random"], counts["bts"], gained["bts"]
            reading = loop_reading(Exposures(tuple(map(str, range(size))), *parts), 0.05, 1 / 91)
            print(f"  the detector: {reading.verdict}; it has {', '.join(reading.wanting)}")
    print(f"{clicks} clicks in all")


if __name__ == "__main__":
    main()
