"""Proves the model store: versions count up, nothing is lost to a race, and the history is in order."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from smallbox.define.view import FeatureView
from smallbox.errors import Conflict, NotFound
from smallbox.registry.routing import Routing, first_champion, start_canary
from smallbox.registry.store import Registry
from smallbox.registry.version import Version, definition_fingerprint
from tests.fakes.documents import FakeDocuments
from tests.fakes.small import deliveries, depot, late_parcel

VERSION = Version(
    model="m",
    number=0,
    status="registered",
    as_of="2026-01-01T00:00:00Z",
    reason="asked for",
    onnx_key="m.onnx",
    onnx_sha256="00",
    pipeline_key="m.skops",
    profile_key="m.json",
    dataset_key="m.parquet",
    data_versions={"records/parcels": 3},
    columns=["weight", "depot"],
    signature="cd",
    views={"depot": "ef"},
    bundle_key="bundles/00.json",
    bundle_sha256="00",
    definition="ab",
    dependencies={"numpy": "2"},
    metrics={"loss": {"value": 0.1 + 0.2}},
    baseline={"outputs": [0.3], "loss": 0.7},
    parity={"largest": 1e-7, "limit": 1e-4},
)


class Raced(FakeDocuments):
    """Documents where others register versions just before this one does, a number of times."""

    def __init__(self, others: int) -> None:
        super().__init__()
        self._others = others

    def put_new(self, partition: str, sort: str, document: Mapping[str, Any]) -> None:
        if self._others:
            self._others -= 1
            super().put_new(partition, sort, document)
        super().put_new(partition, sort, document)


def test_versions_count_from_one_and_come_back_as_they_were() -> None:
    """Numbers follow the order of registration, models do not share them, and every figure stays what it was."""
    registry = Registry(FakeDocuments())
    numbers = [registry.add(replace(VERSION, model=model)).number for model in ("m", "m", "other")]
    assert numbers == [1, 2, 1]
    assert registry.get("m", 2) == replace(VERSION, number=2)
    assert [v.number for v in registry.versions("m")] == [1, 2]


def test_more_than_nine_versions_stay_in_order() -> None:
    """Version 10 comes after version 9, not after version 1."""
    registry = Registry(FakeDocuments())
    assert [registry.add(VERSION).number for _ in range(12)] == list(range(1, 13))
    assert [v.number for v in registry.versions("m")] == list(range(1, 13))


def test_a_race_for_a_number_loses_no_version() -> None:
    """Who loses the race takes the next number; when that never ends, it is a conflict to retry."""
    registry = Registry(Raced(others=2))
    assert registry.add(VERSION).number == 3
    assert len(registry.versions("m")) == 3
    with pytest.raises(Conflict):
        Registry(Raced(others=99)).add(VERSION)


def test_an_unknown_version_is_not_found() -> None:
    """The error names the model and the number."""
    with pytest.raises(NotFound, match="'m' has no version 7"):
        Registry(FakeDocuments()).get("m", 7)


def test_a_retried_run_finds_its_own_version() -> None:
    """A version is found by the bytes of its model, and by no others."""
    registry = Registry(FakeDocuments())
    added = registry.add(VERSION)
    assert registry.with_onnx("m", "m.onnx", added.signature) == added
    assert registry.with_onnx("m", "n.onnx", added.signature) is None
    assert registry.with_onnx("m", "m.onnx", "another") is None


def test_a_status_changes_nothing_else() -> None:
    """What became of a version is said without touching what it is."""
    registry = Registry(FakeDocuments())
    registry.add(VERSION)
    registry.set_status("m", 1, "champion")
    assert registry.get("m", 1) == replace(VERSION, number=1, status="champion")


def test_of_two_who_change_the_routing_one_wins() -> None:
    """A change made from a routing that has changed meanwhile is a conflict, and leaves the routing alone."""
    registry = Registry(FakeDocuments())
    assert registry.routing("m") is None
    registry.route("m", first_champion(1, now=5))
    read = registry.routing("m")
    assert read == Routing(champion=1, since=5, revision=1)
    registry.route("m", start_canary(read, 2, 0.2, now=6))
    with pytest.raises(Conflict):
        registry.route("m", start_canary(read, 3, 0.2, now=7))
    assert registry.routing("m") == Routing(champion=1, challenger=2, share=0.2, since=6, revision=2, began=6)


def test_the_history_is_in_order_and_says_a_thing_once() -> None:
    """Events come back oldest first, whatever the digits of their moments, and a repeated one is one."""
    registry = Registry(FakeDocuments())
    for at, event in ((10**6, "promote"), (9, "champion"), (10**6, "promote")):
        registry.record("m", at, event, {"version": 1})
    assert [e["event"] for e in registry.history("m")] == ["champion", "promote"]


def test_two_versions_at_one_moment_are_two_lines() -> None:
    """A second run of one moment does not erase what the history says of the first; they come in their order."""
    registry = Registry(FakeDocuments())
    for version in (10, 2, 10):
        registry.record("m", 5, "refused", {"version": version})
    registry.record("m", 5, "alarm", {})
    assert [e.get("version") for e in registry.history("m")] == [None, 2, 10]


def test_a_fingerprint_is_of_what_shapes_the_training() -> None:
    """Rules of release do not change it; a feature's window does."""
    wider = FeatureView(
        "depot",
        entity="depot",
        source=deliveries,
        features={"depot_delay_3h": replace(depot.features["depot_delay_3h"], window="6h")},
    )
    own = definition_fingerprint(late_parcel)
    assert definition_fingerprint(replace(late_parcel, gate=replace(late_parcel.gate, min_skill=0.9))) == own
    assert definition_fingerprint(replace(late_parcel, views=(wider,))) != own


def test_a_signature_is_stored_once() -> None:
    """The first one under a digest stays; another model has none; one that is missing is named."""
    registry = Registry(FakeDocuments())
    registry.freeze("m", "cd", {"model": "m"})
    registry.freeze("m", "cd", {"model": "other"})
    assert registry.frozen("m", "cd") == {"model": "m"}
    for model, digest in (("m", "ab"), ("n", "cd")):
        with pytest.raises(NotFound, match=f"model '{model}' has no signature '{digest}'; train again"):
            registry.frozen(model, digest)
