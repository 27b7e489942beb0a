"""Proves that no task works as of a moment ahead: those that begin a run refuse it, by one rule (decision 0006)."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from smallbox.define.project import project_of
from smallbox.errors import InvalidInput
from smallbox.features.backfill import BackfillTask
from smallbox.features.live_views import LiveViewStore
from smallbox.feedback.join import JoinTask
from smallbox.ingestion.upkeep import UpkeepTask
from smallbox.registry.contracts import Contracts
from smallbox.registry.signatures import Signatures
from smallbox.registry.store import Registry
from smallbox.times import DAY, Micros, format_moment
from smallbox.training.dataset import DatasetTask
from tests.fakes.documents import FakeDocuments
from tests.fakes.edges import FakeBlobs, FakeQueue
from tests.fakes.lake import FakeLake
from tests.fakes.live import live_sources
from tests.fakes.online import FakeOnlineStore
from tests.fakes.small import late_parcel

PROJECT = project_of([late_parcel])
PRESENT: Micros = 30 * DAY

Run = Callable[[Any, Micros], Any]


def _backfill(document: Mapping[str, Any], now: Micros) -> Any:
    documents = FakeDocuments()
    backfill = BackfillTask(
        PROJECT,
        Registry(documents),
        Contracts(documents),
        LiveViewStore(documents),
        FakeLake(),
        FakeOnlineStore(),
        FakeQueue(),
        lambda _: None,
    )
    return backfill.run("plan", document, now)


def _day(document: Any, now: Micros) -> Any:
    return JoinTask(PROJECT, FakeLake(), Registry(FakeDocuments()), FakeDocuments()).run(document, now)


def _training(document: Any, now: Micros) -> Any:
    registry, blobs = Registry(FakeDocuments()), FakeBlobs()
    return DatasetTask(PROJECT, FakeLake(), blobs, registry, Signatures(PROJECT, registry, blobs)).run(document, now)


RUNS: Mapping[str, Run] = {
    "training": _training,
    "day": _day,
    "upkeep": UpkeepTask(PROJECT, live_sources(PROJECT), FakeLake(), FakeQueue()).run,
    "backfill": _backfill,
}


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
@pytest.mark.parametrize("as_of", [format_moment(PRESENT + 2 * DAY), "1970-01-02", 5, None])
def test_a_moment_ahead_or_none_at_all_is_refused(run: Run, as_of: Any) -> None:
    """The error says that it lies ahead, or what a moment looks like, and names the field."""
    with pytest.raises(InvalidInput, match="as_of") as refused:
        run({"model": late_parcel.name, "as_of": as_of}, PRESENT)
    assert refused.value.details["field"] == "as_of"
