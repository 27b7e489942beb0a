"""Proves what the release's tasks do with the registry: start, take over, review, and mend a crash."""

from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from smallbox.define.project import project_of
from smallbox.errors import Unavailable
from smallbox.feedback.run import labelled_table
from smallbox.registry.store import Registry
from smallbox.registry.version import Version
from smallbox.release.routing import first_champion
from smallbox.release.run import ReviewTask
from smallbox.release.start import StartTask
from smallbox.times import DAY, format_moment
from tests.fakes.documents import FakeDocuments
from tests.fakes.lake import FakeLake
from tests.fakes.small import late_parcel

PROJECT = project_of([late_parcel])
MODEL = late_parcel.name
VERSION = Version(
    model=MODEL,
    number=0,
    status="registered",
    as_of=format_moment(0),
    reason="test",
    onnx_key="1",
    onnx_sha256="",
    pipeline_key="",
    profile_key="",
    dataset_key="",
    data_versions={},
    columns=list(late_parcel.columns.names),
    definition="",
    dependencies={},
    metrics={},
    parity={},
)


def _registry(*versions: Version) -> Registry:
    registry = Registry(FakeDocuments())
    for version in versions:
        registry.add(version)
    return registry


def _start(registry: Registry, number: int, at: int = 0) -> dict[str, Any]:
    document = {"model": MODEL, "version": number, "as_of": format_moment(at)}
    return StartTask(PROJECT, registry).run(document)


def test_the_first_version_becomes_champion_and_the_next_a_challenger() -> None:
    """The first answers everything; the second its share; starting either again changes nothing."""
    registry = _registry(VERSION, VERSION)
    assert _start(registry, 1)["routing"]["champion"] == 1
    started = _start(registry, 2, DAY)
    assert (started["routing"]["challenger"], started["routing"]["share"]) == (2, late_parcel.release.canary)
    assert _start(registry, 2, DAY)["routing"] == started["routing"]
    assert [v.status for v in registry.versions(MODEL)] == ["champion", "challenger"]


def test_a_champion_of_other_columns_is_replaced_at_once() -> None:
    """After the definition changed the champion can answer nobody, so there is no canary to wait for."""
    registry = _registry(replace(VERSION, columns=["gone"]), VERSION)
    _start(registry, 1)
    assert _start(registry, 2, DAY)["routing"] | {"revision": 0, "since": 0} == first_champion(2, 0).as_json()
    assert [v.status for v in registry.versions(MODEL)] == ["retired", "champion"]


def _canary() -> Registry:
    registry = _registry(VERSION, VERSION)
    _start(registry, 1)
    _start(registry, 2, DAY)
    return registry


def _review(registry: Registry, lake: FakeLake, at: int) -> dict[str, Any]:
    document = {"model": MODEL, "as_of": format_moment(at)}
    found: dict[str, Any] = ReviewTask(PROJECT, lake, registry).run(document)["release"]
    return found


def _labelled(count: int) -> pa.Table:
    return pa.table(
        {
            "time": pa.array([DAY + n for n in range(count)], pa.int64()),
            "version": pa.array([1 + n % 2 for n in range(count)], pa.int64()),
            "score": [0.1 if n % 4 < 2 else 0.9 for n in range(count)],
            "label": [n % 4 >= 2 for n in range(count)],
            "status": ["labelled"] * count,
            "channel": ["online"] * count,
        }
    )


def test_a_canary_without_predictions_waits() -> None:
    """No table, and a table with no row in the canary's time, are both a canary that has shown nothing yet."""
    registry, lake = _canary(), FakeLake()
    assert _review(registry, lake, 2 * DAY)["action"] == "wait"
    lake.append(labelled_table(MODEL), _labelled(8))
    registry.route(MODEL, replace(registry.routing(MODEL) or first_champion(1, 0), since=50 * DAY))
    assert _review(registry, lake, 51 * DAY)["action"] == "wait"


class _Crashing(Registry):
    """A registry whose routing cannot be written once."""

    crashes = 1

    def route(self, *arguments: Any) -> None:
        if self.crashes:
            self.crashes -= 1
            raise Unavailable("the table did not answer")
        super().route(*arguments)


def test_a_crash_before_the_routing_is_made_good() -> None:
    """A review that dies before the routing is written is the same decision on the next try, recorded once."""
    documents = FakeDocuments()
    registry = Registry(documents)
    for _ in range(2):
        registry.add(VERSION)
    _start(registry, 1)
    _start(registry, 2, DAY)
    lake = FakeLake()
    lake.append(labelled_table(MODEL), _labelled(4_000))
    crashing, end = _Crashing(documents), (late_parcel.release.max_days + 1) * DAY
    with pytest.raises(Unavailable):
        _review(crashing, lake, end)
    assert _review(crashing, lake, end)["action"] == "promote"
    routing = registry.routing(MODEL)
    assert routing is not None
    assert (routing.champion, routing.challenger) == (2, None)
    assert [e["event"] for e in registry.history(MODEL)].count("promote") == 1
    assert [v.status for v in registry.versions(MODEL)] == ["retired", "champion"]
