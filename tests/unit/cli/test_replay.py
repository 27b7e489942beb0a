"""Proves that a replay sends every record once, never before it is known, and refuses files that cannot be replayed."""

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallbox.cli.replay.files import record
from smallbox.cli.replay.recording import Recording, lay_out
from smallbox.cli.replay.span import Span
from smallbox.define import Source, number, text, timestamp
from smallbox.define.project import Project, project_of
from smallbox.errors import InvalidInput, MalformedBody, NotFound, SmallboxError, UnsupportedType
from smallbox.times import DAY, HOUR, MINUTE, format_moment, parse_day
from tests.fakes.small import deliveries, late_parcel

START = parse_day("2024-05-01")
PROJECT: Project = project_of([late_parcel], [deliveries])

steps = st.sampled_from([15 * MINUTE, HOUR, 6 * HOUR, DAY])
spans = st.builds(lambda days, step: Span(START, START + days * DAY, step), st.integers(1, 4), steps)
times = st.integers(START - 6 * DAY, START + 6 * DAY) | st.integers(-12, 12).map(lambda n: START + n * DAY // 2)
rules = st.sampled_from([None, "0s", "90m", "-1d", "2d"])


def _source(known_after: str | None) -> Source:
    fields = {"parcel_id": text(), "sent_at": timestamp(), "weight": number(nullable=True)}
    return Source("parcels", key="parcel_id", time="sent_at", fields=fields, known_after=known_after)


def _rows(at: list[int]) -> list[dict[str, Any]]:
    return [{"parcel_id": str(n), "sent_at": format_moment(time), "weight": 1.5} for n, time in enumerate(at)]


def _keys(lines: Any) -> list[int]:
    return [int(json.loads(line)["parcel_id"]) for line in lines]


def _sent(recording: Recording, span: Span) -> dict[int, int]:
    """The moment as of which each row is sent: the start for what is history."""
    sent = dict.fromkeys(_keys(recording.known.until(span.start)), span.start)
    for now in span.moments:
        for key in _keys(recording.known.between(now, now + span.step)):
            assert key not in sent, "it was sent before"
            sent[key] = now + span.step
    return sent


@given(st.lists(times, max_size=30), spans, rules)
def test_each_record_is_sent_once_in_the_first_step_that_may_know_it(
    at: list[int], span: Span, known_after: str | None
) -> None:
    """History holds what was known by the start; each later record goes with the step in which it becomes known."""
    source = _source(known_after)
    recording = lay_out(source, _rows(at), span)
    sent = _sent(recording, span)
    for key, time in enumerate(at):
        known_at = time + (source.known_after_micros or 0)
        if known_at <= span.start:
            assert sent[key] == span.start
        elif known_at <= span.end:
            assert known_at <= sent[key] < known_at + span.step
        else:
            assert key not in sent
    assert len(sent) + recording.later == len(at)


@given(st.lists(times, max_size=30), spans)
def test_each_request_between_the_days_is_asked_in_the_step_of_its_event_time(at: list[int], span: Span) -> None:
    """A request is predicted as of the beginning of its step, so that no feature holds what came after it."""
    recording = lay_out(_source("-1d"), _rows(at), span, required=("parcel_id", "weight"))
    asked: dict[int, int] = {}
    for now in span.moments:
        asked |= dict.fromkeys(_keys(recording.asked.between(now - 1, now + span.step - 1)), now)
    assert set(asked) == {key for key, time in enumerate(at) if span.start <= time < span.end}
    assert all(moment <= at[key] < moment + span.step for key, moment in asked.items())


@given(st.lists(times, min_size=1, max_size=30), spans)
def test_what_is_known_when_received_is_known_at_the_end_of_its_step(at: list[int], span: Span) -> None:
    """Without ``known_after`` the history too is received in steps, or none of it was known in the past."""
    known = lay_out(_source(None), _rows(at), span).known
    assert all((moment - span.start) % span.step == 0 for moment in known.at)


def test_nothing_is_lost_that_the_contract_will_refuse() -> None:
    """A row without a time goes with the history to quarantine; a broken request is sent, and not asked."""
    span = Span(START, START + DAY, HOUR)
    rows: list[Any] = [{"parcel_id": "0", "sent_at": "yesterday"}, "no object", *_rows([START + HOUR] * 2)]
    rows[-1] = {**rows[-1], "weight": float("inf")}
    recording = lay_out(_source("0s"), rows, span, required=("parcel_id", "weight"))
    assert [json.loads(line) for line in recording.known.until(START)] == rows[:2]
    assert len(recording.known.between(START, span.end)) == 2
    assert (len(recording.asked), recording.refused) == (1, 1)
    assert all(json.loads(line, parse_constant=pytest.fail) for line in recording.known.until(span.end))


@pytest.mark.parametrize("arguments", [(START, START, HOUR), (START, START + DAY, 7 * HOUR), (START, START + DAY, 0)])
def test_a_span_is_whole_days_of_whole_steps(arguments: tuple[int, int, int]) -> None:
    """Days that end before they begin, and steps that make no day, are refused."""
    with pytest.raises(InvalidInput, match="--"):
        Span(*arguments)


SPAN = Span(START, START + DAY, HOUR)
PARCEL = {"parcel_id": "1", "sent_at": "2024-05-01T05:00:00Z", "depot": "north", "weight": 2.5}
DELIVERY = {"parcel_id": "1", "delivered_at": "2024-05-01T09:00:00Z", "depot": "north", "delay": 3.0, "late": True}


def _write(file: Path, rows: list[dict[str, Any]]) -> Path:
    kind = file.name.removesuffix(".gz").rpartition(".")[2]
    if kind == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), file)
        return file
    lines = [json.dumps(row) for row in rows]
    if kind == "csv":
        lines = [",".join(rows[0]), *(",".join(str(value) for value in row.values()) for row in rows)]
    content = "\n".join(lines).encode()
    file.write_bytes(gzip.compress(content) if file.suffix == ".gz" else content)
    return file


@pytest.mark.parametrize("name", ["p.csv", "p.csv.gz", "p.jsonl", "p.jsonl.gz", "p.parquet"])
def test_every_kind_of_file_is_read_alike(tmp_path: Path, name: str) -> None:
    """A record is the same to the system from whichever file it came."""
    files = {"parcels": [_write(tmp_path / name, [PARCEL])], "deliveries": [_write(tmp_path / "d.jsonl", [DELIVERY])]}
    found = record(PROJECT, late_parcel, files, SPAN)
    assert [json.loads(line) for line in found["parcels"].asked.until(SPAN.end)] == [PARCEL]
    assert [json.loads(line) for line in found["deliveries"].known.until(SPAN.end)] == [DELIVERY]


def _without(row: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != name}


@pytest.mark.parametrize(
    ("parcels", "error", "said"),
    [
        ([_without(PARCEL, "sent_at")], InvalidInput, "p.csv' has no column sent_at, which source parcels requires"),
        ([{**PARCEL, "colour": 1}], InvalidInput, "has the column colour, which is not a field of source parcels"),
        ([{**PARCEL, "sent_at": "2024-06-01T05:00:00Z"}], InvalidInput, "nothing to predict.*from 2024-06-01T05:00"),
        ([{**PARCEL, "weight": "x"}], InvalidInput, "all 1 records of parcels .* break its contract"),
    ],
)
def test_a_file_that_cannot_be_replayed_is_named(
    tmp_path: Path, parcels: list[dict[str, Any]], error: type[SmallboxError], said: str
) -> None:
    """The sentence names the file, the column, the source and the days; nothing was started yet."""
    files = {"parcels": [_write(tmp_path / "p.csv", parcels)], "deliveries": [_write(tmp_path / "d.jsonl", [DELIVERY])]}
    with pytest.raises(error, match=said):
        record(PROJECT, late_parcel, files, SPAN)


def test_wrong_arguments_are_named(tmp_path: Path) -> None:
    """An unknown source, a missing file, one that is none, and a source that was left out."""
    good, empty = _write(tmp_path / "p.csv", [PARCEL]), tmp_path / "e.parquet"
    empty.write_bytes(b"no parquet")
    needed = {"parcels": [good], "deliveries": [_write(tmp_path / "d.jsonl", [DELIVERY])]}
    wrong: list[tuple[dict[str, list[Path]], type[SmallboxError], str]] = [
        ({"nowhere": [good]}, NotFound, "there is no source 'nowhere'"),
        ({**needed, "parcels": [tmp_path / "none.csv"]}, NotFound, "there is no file"),
        ({**needed, "parcels": [empty]}, MalformedBody, r"e\.parquet.* cannot be read"),
        ({**needed, "parcels": [tmp_path / "p.txt"]}, UnsupportedType, r"p\.txt"),
        ({"parcels": [good]}, InvalidInput, "needs a file of deliveries: add deliveries=FILE"),
    ]
    (tmp_path / "p.txt").touch()
    for files, error, said in wrong:
        with pytest.raises(error, match=said):
            record(PROJECT, late_parcel, files, SPAN)
