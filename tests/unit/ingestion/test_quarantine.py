"""Proves that rejected records wait with their reason, and come in once after the contract is mended."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from smallbox.define import Source, number, text, timestamp
from smallbox.errors import Unavailable
from smallbox.ingestion.contract import check_all
from smallbox.ingestion.http_body import parse_json
from smallbox.ingestion.quarantine import Quarantine
from smallbox.times import DAY, HOUR
from tests.fakes.edges import FakeBlobs

NOW = DAY + HOUR
RECORDS = [{"id": str(n), "at": "1970-01-02T00:00:00Z", "heat": heat} for n, heat in enumerate((20.0, 45.0, 900.0))]


def _source(limit: float) -> Source:
    fields = {"id": text(), "at": timestamp(), "heat": number(maximum=limit)}
    return Source("ovens", key="id", time="at", fields=fields, known_after="0s")


class Intake:
    """Checks by a contract, and quarantines what breaks it, as the collector does."""

    def __init__(self, limit: float, quarantine: Quarantine) -> None:
        self.accepted: list[str] = []
        self._source, self._quarantine, self._batches = _source(limit), quarantine, 0

    def send(self, records: Sequence[Any]) -> Mapping[str, Any]:
        good, bad = check_all(self._source, records, NOW)
        self._batches += 1
        self._quarantine.add("ovens", f"{id(self)}-{self._batches}", bad, NOW)
        self.accepted += [record.key for record in good]
        return {"accepted": len(good), "rejected": [r.as_json() for r in bad]}

    def send_lines(self, lines: Sequence[str]) -> Mapping[str, Any]:
        """The same, of JSON texts."""
        return self.send([json.loads(line) for line in lines])


def test_what_was_rejected_waits_with_its_reason() -> None:
    """A rejected record is listed under its source and day, and shown with field, rule and the record as sent."""
    quarantine = Quarantine(FakeBlobs())
    Intake(40.0, quarantine).send(RECORDS)
    (batch,) = quarantine.batches("ovens")
    assert (batch.source, batch.day, batch.count) == ("ovens", "1970-01-02", 2)
    assert [(r["field"], r["rule"], r["record"]["id"]) for r in quarantine.read(batch)] == [
        ("heat", "maximum", "1"),
        ("heat", "maximum", "2"),
    ]
    assert quarantine.count("ovens", "1970-01-02") == 2
    assert quarantine.batches("others") == []


def test_a_mended_contract_lets_them_in_once() -> None:
    """After the limit is raised, replay accepts what is right now and keeps waiting what is still wrong."""
    quarantine = Quarantine(FakeBlobs())
    Intake(40.0, quarantine).send(RECORDS)
    mended = Intake(50.0, quarantine)
    for batch in quarantine.batches("ovens"):
        quarantine.replay(batch, mended.send_lines)
    assert mended.accepted == ["1"]
    (left,) = quarantine.batches("ovens")
    assert [r["record"]["id"] for r in quarantine.read(left)] == ["2"]


def test_a_replay_that_fails_loses_nothing() -> None:
    """When sending fails the batch stays where it is."""
    quarantine = Quarantine(FakeBlobs())
    Intake(40.0, quarantine).send(RECORDS)
    (batch,) = quarantine.batches("ovens")

    def fail(_: Sequence[str]) -> Mapping[str, Any]:
        raise Unavailable("nobody answers")

    with pytest.raises(Unavailable):
        quarantine.replay(batch, fail)
    assert quarantine.batches("ovens") == [batch]


def test_a_batch_of_before_is_still_read_and_replayed() -> None:
    """A batch without ``value``, as older versions wrote it, is shown and sent again."""
    blobs = FakeBlobs()
    line = {"index": 3, "field": "heat", "rule": "maximum", "message": "too hot", "record": RECORDS[1]}
    blobs.put("quarantine/ovens/1970-01-02/old.1.jsonl", json.dumps(line).encode())
    (batch,) = Quarantine(blobs).batches("ovens")
    assert Quarantine(blobs).read(batch) == [line]
    intake = Intake(50.0, Quarantine(blobs))
    assert Quarantine(blobs).replay(batch, intake.send_lines)["accepted"] == 1


def test_a_number_beyond_floats_can_be_replayed() -> None:
    """Python reads 1e999 as infinity, which is not JSON: it waits as a text, and the lines sent again are JSON."""
    blobs = FakeBlobs()
    Intake(40.0, Quarantine(blobs)).send(
        [{**RECORDS[0], "heat": float("inf")}, {**RECORDS[0], "heat": [float("-inf")]}]
    )
    (batch,) = Quarantine(blobs).batches("ovens")
    lines: list[str] = []

    def send(texts: Sequence[str]) -> Mapping[str, Any]:
        lines.extend(texts)
        return {}

    Quarantine(blobs).replay(batch, send)
    assert [parse_json(line)["heat"] for line in lines] == ["inf", ["-inf"]]
