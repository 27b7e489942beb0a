"""What surrounds an experiment: what a day reads, crashes, deployments, declared outcomes, and the real tables."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from smallbox.aws.delta_lake import DeltaLake
from smallbox.define import Experiment, Release, outcome
from smallbox.define.project import project_of
from smallbox.errors import Conflict, InvalidInput, NotFound
from smallbox.ports import Between
from smallbox.registry.store import Registry
from smallbox.times import DAY
from tests.fakes.lake import FakeLake
from tests.flow.offers import Shop, offer, orders, ratings, visits
from tests.flow.test_experiment import MEASURED, started

EARNED = Experiment(outcome(orders, value="amount", on="customer", within="1d"), unit="customer", smallest_effect=0.1)

_READ = {"predictions/offer", "exposures/offer", "records/orders"}


class WatchedLake(FakeLake):
    """Remembers the ranges of time that were read of each table."""

    def __init__(self) -> None:
        super().__init__()
        self.read_days: dict[str, float] = {}
        self.reads = 0

    def read(
        self,
        table: str,
        columns: Sequence[str] | None = None,
        between: Between | None = None,
        keys: pa.ChunkedArray | None = None,
        *,
        key: str = "key",
        schema: pa.Schema | None = None,
    ) -> pa.Table | None:
        self.reads += 1
        found = super().read(table, columns, between, keys, key=key, schema=schema)
        days = (between.end - between.start) / DAY if between is not None else float("inf")
        if keys is None or not table.startswith("exposures"):  # those of units of the day are not all of them
            self.read_days[table] = max(self.read_days.get(table, 0.0), days)
        return found


def test_a_day_reads_a_day_and_a_window_however_long_it_has_run() -> None:
    """The second day and the ninth read ranges of the same length, and never the whole of a table."""
    lake = WatchedLake()
    shop = started(Shop(lake=lake), min_days=2)
    read = []
    for _ in range(9):
        shop.day()
        read.append({name: days for name, days in lake.read_days.items() if name in _READ})
        lake.read_days = {}
    assert read[2] == read[8]
    assert read[8].keys() == _READ
    assert read[8]["predictions/offer"] == read[8]["exposures/offer"] == 1.0
    assert read[8]["records/orders"] < 2.0, "a day of exposures and their window"


def test_a_deployment_changes_neither_the_assignment_nor_the_measurement() -> None:
    """Another declared outcome and new processes: units keep their versions, and the running one its definition."""
    shop = started(Shop())
    shop.day()
    with_names = {"visit_id": "v", "customer": "c1999", "spent_before": 1.0, "visited_at": "2011-01-26T00:00:00Z"}
    before = shop.world.predict("offer", [with_names], shop.now, "before")[0]["version"]
    deployed = replace(offer, release=Release(experiment=replace(EARNED, min_days=30)))
    shop.world.deploy(project_of([deployed], [visits, orders, ratings]))
    assert shop.world.predict("offer", [with_names], shop.now, "after")[0]["version"] == before
    assert [shop.day()["verdict"] for _ in range(6)][-1] != "wait", "min_days is still 7"


def test_what_is_declared_needs_only_the_versions() -> None:
    """And settings of the command go before those of the definition."""
    shop = Shop(generous=2.0, model=replace(offer, release=Release(experiment=EARNED)))
    for _ in range(10):
        shop.day()
    with pytest.raises(NotFound, match="there is no experiment yet"):
        shop.ask("show")
    with pytest.raises(InvalidInput, match="--guardrail, --within describes a named outcome"):
        shop.ask("start", versions=[1, 2], why="declared", guardrails=["orders.amount"], within="2d")
    shown = shop.ask("start", versions=[1, 2], weights=[0.4, 0.6], why="declared", min_days=3)
    assert shown["experiment"]["outcome"]["value"] == "amount"
    assert [shop.day()["verdict"] for _ in range(3)] == ["wait", "wait", "better"]


def test_an_outcome_may_be_joined_by_the_key_of_each_request() -> None:
    """The sum of a customer is that of its visits; the ratings come with the visit's id."""
    shop = started(Shop(), outcome="ratings.stars", guardrails=[], only_measured=True, smallest_effect=0.2)
    steps = [shop.day() for _ in range(8)]
    assert steps[-1]["verdict"] == "no_difference", steps[-1]["why"]
    units = shop.ask("show")["result"]["effects"][0]["units"]
    assert units == 7 * 200, "every customer has visits that were rated"


def test_who_looks_changes_nothing() -> None:
    """Two looks in a row say the same, and the stored record stays as the day left it."""
    shop = started(Shop())
    shop.day()
    stored = shop.world.registry.experiments("offer")
    assert shop.ask("show") == shop.ask("show")
    assert shop.world.registry.experiments("offer") == stored


def test_a_look_years_later_costs_no_more_than_the_experiment_lasts() -> None:
    """Asked as of the present about a replay of years ago, it reads up to max_days and a window, and no day since."""
    reads = []
    for at in ("2012-02-01T00:00:00Z", "2022-02-01T00:00:00Z"):
        lake = WatchedLake()
        shop = started(Shop(lake=lake), min_days=2, max_days=5, smallest_effect=0.5)
        shop.day()
        lake.reads = 0
        shop.ask("show", as_of=at)
        reads.append(lake.reads)
    assert reads[0] == reads[1] < 100


def test_a_crash_within_a_stop_is_repaired_by_stopping_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The routing is changed, the record is not; the second stop ends the record, and a third has nothing to stop."""
    shop = started(Shop())
    shop.day()
    keep = Registry.keep_experiment

    def crash(*_: Any) -> None:
        raise Conflict("another writer was first")

    monkeypatch.setattr(Registry, "keep_experiment", crash)
    with pytest.raises(Conflict):
        shop.ask("stop", why="enough")
    monkeypatch.setattr(Registry, "keep_experiment", keep)
    assert shop.world.registry.routing("offer").experiment is None  # type: ignore[union-attr]
    assert shop.ask("stop", why="enough")["state"] == "stopped"
    with pytest.raises(Conflict, match="was stopped already"):
        shop.ask("stop", why="enough")
    with pytest.raises(Conflict, match="give this one another --name"):
        shop.ask("start", **{**MEASURED, "why": "again", "name": shop.ask("show")["name"]})


def test_a_day_that_is_run_again_counts_nobody_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """It had written its exposures and died before its record: the second run finds them and has the same counts."""
    shop, whole = started(Shop()), started(Shop())
    keep = Registry.keep_experiment
    for one in (shop, whole):
        one.day()

    def crash(*_: Any) -> None:
        raise Conflict("another writer was first")

    monkeypatch.setattr(Registry, "keep_experiment", crash)
    with pytest.raises(Conflict):
        shop.day()
    monkeypatch.setattr(Registry, "keep_experiment", keep)
    shop.close()
    whole.day()
    assert shop.ask("show")["result"] == whole.ask("show")["result"]


def test_real_tables_give_the_same(tmp_path: Path) -> None:
    """The same days over Delta tables on disk end with the same figures as over tables in memory."""
    shops = [
        started(Shop(generous=2.0, lake=lake), min_days=3, guardrails=[])
        for lake in (None, DeltaLake(str(tmp_path), options={}))
    ]
    in_memory, on_disk = ([shop.day() for _ in range(3)] for shop in shops)
    assert in_memory == on_disk
    assert on_disk[-1]["verdict"] == "better"
