"""Proves that `smallbox replay` is not about flights: the README's definition, on payments that were made up."""

import gzip
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from infra.deployment import ROOT

pytestmark = pytest.mark.deployed

DAYS, A_DAY, CUSTOMERS = 45, 120, 60


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout of its own, with the README's complete definition.

    Customers say no ``known_after``: they are known when they are received.
    """
    folder = tmp_path / "checkout"
    for part in ("functions", "infra", "layers"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "cdk.json", folder)
    (folder / "node_modules").symlink_to(ROOT / "node_modules")
    *_, code = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    before, after = code.split('time="joined_at",\n    known_after="0s",\n')
    (folder / "layers/definitions/python/definitions/fraud.py").write_text(f'{before}time="joined_at",\n{after}')
    return folder


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


def test_another_definition_is_replayed(checkout: Path, files: list[str]) -> None:
    """From nothing to a report in one command: its exit code is 0, and every served value is its recomputation."""
    paths = [str(checkout / f"layers/{layer}/python") for layer in ("definitions", "core")]
    command = [sys.executable, "-m", "smallbox.cli.main", "replay", "fraud", *files, "--step", "360"]
    ended = subprocess.run(  # noqa: S603 - our own command
        [*command, "--from", "2024-04-12", "--to", "2024-04-15"],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    said = ended.stdout + ended.stderr
    assert ended.returncode == 0, said
    assert "FAILED" not in said
    assert "history customers" in said
    assert re.search(r"(\d+) of \1 requests predicted over HTTPS, \d+ from a file", ended.stdout), said
    assert " 0 unlike their batch recomputation" in ended.stdout
    assert "data:image/png" in (checkout / ".smallbox/report.html").read_text()
