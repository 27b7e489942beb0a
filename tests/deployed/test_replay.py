"""Proves that `smallbox replay` is not about flights: the README's definition, on payments that were made up."""

import gzip
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.deployed.other_checkout import run_there

pytestmark = pytest.mark.deployed

DAYS, A_DAY, CUSTOMERS = 45, 120, 60


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Large payments are frauds more often; what was one is known some hours later. One file of each kind."""
    random = np.random.default_rng(0)
    number = DAYS * A_DAY
    start = pd.Timestamp("2024-03-01", tz="UTC")
    at = start + pd.to_timedelta(np.sort(random.uniform(0, DAYS * 86_400, number)).round(), unit="s")
    amount = random.exponential(100, number).round(2)
    fraud = random.uniform(size=number) < 1 / (1 + np.exp(3 - amount / 50))
    payments = pd.DataFrame({"payment_id": [f"p{n}" for n in range(number)], "paid_at": at, "amount": amount})
    payments["customer"] = [f"c{n}" for n in random.integers(0, CUSTOMERS, number)]
    settled = at + pd.to_timedelta(random.uniform(1, 30, number).round() * 3600, unit="s")
    outcomes = pd.DataFrame({"payment_id": payments["payment_id"], "settled_at": settled, "fraud": fraud})
    joined = start + pd.to_timedelta(random.integers(0, 60, CUSTOMERS), unit="D")
    names = [f"c{n}" for n in range(CUSTOMERS)]
    customers = pd.DataFrame(
        {"customer": names, "joined_at": joined, "country": random.choice(["FR", "PL"], CUSTOMERS)}
    )
    payments.to_parquet(tmp_path / "payments.parquet", index=False)
    customers.to_csv(tmp_path / "customers.csv", index=False)
    lines = outcomes.to_json(orient="records", lines=True, date_format="iso", date_unit="s")
    (tmp_path / "outcomes.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    kinds = {"payments": "parquet", "customers": "csv", "outcomes": "jsonl.gz"}
    return [f"{name}={tmp_path / name}.{kind}" for name, kind in kinds.items()]


def test_another_definition_is_replayed(other_checkout: Path, files: list[str]) -> None:
    """From nothing to a report in one command: its exit code is 0, and every served value is its recomputation.

    The system is kept: other stories go on with it.
    """
    span = ("--step", "360", "--from", "2024-04-12", "--to", "2024-04-15")
    ended = run_there(other_checkout, "replay", "fraud", *files, *span, "--keep")
    said = ended.stdout + ended.stderr
    assert ended.returncode == 0, said
    assert "FAILED" not in said
    assert "history customers" in said
    assert re.search(r"(\d+) of \1 requests predicted over HTTPS, \d+ from a file", ended.stdout), said
    assert " 0 unlike their batch recomputation" in ended.stdout
    assert "data:image/png" in (other_checkout / ".smallbox/report.html").read_text()
