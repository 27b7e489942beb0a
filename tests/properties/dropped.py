"""Random dropped files, small in every dimension, and what a system makes of one whose workers die and repeat."""

import csv
import gzip
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st

from smallbox.define import FeatureView, Source, count, number, text, timestamp
from smallbox.define.project import Project
from smallbox.errors import Conflict
from smallbox.features.online.rebuild_keys import keys_named
from smallbox.ingestion.file_parts import Sizes
from smallbox.ingestion.load import LoadTask
from smallbox.ingestion.readers import Limits
from smallbox.lake.history import history
from smallbox.lake.names import records_table
from smallbox.times import HOUR, Micros, format_moment, parse_day
from tests.fakes.crashing import CrashingBlobs, CrashingLake, CrashingQueue, Fuse
from tests.fakes.live import live_sources
from tests.fakes.online import Crash

STORED_AT = parse_day("2013-03-01")
WHOLE = Sizes(Limits(3, 200), Limits(10_000, 10_000_000))
"""Small batches, and no part ends before the file does."""
_FIELDS = {"id": text(), "at": timestamp(), "note": text(nullable=True), "size": number(nullable=True, maximum=5)}


def _source(known_after: str | None) -> Source:
    return Source("things", key="id", time="at", fields=_FIELDS, known_after=known_after)


def _project(source: Source) -> Project:
    return Project({source.name: source}, {"view": FeatureView("view", "id", source, {"n": count("1h")})}, {})


PROJECTS = {known_after: _project(_source(known_after)) for known_after in (None, "1h")}

_rows = st.fixed_dictionaries(
    {
        "id": st.sampled_from(["", *"abcdefgh"]),
        "at": st.integers(0, 48).map(lambda n: format_moment(STORED_AT - n * HOUR)),
        "note": st.sampled_from([None, "plain", 'a "quoted" one', "of two\nlines", "with, comma", "é"]),
        "size": st.sampled_from([None, 1.5, 5.0, 6.0]),
    }
)
KINDS = ("csv", "jsonl", "parquet", "csv.gz", "jsonl.gz", "parquet.gz")


def _csv(rows: Sequence[Mapping[str, Any]]) -> bytes:
    lines = io.StringIO()
    writer = csv.DictWriter(lines, list(_FIELDS))
    writer.writeheader()
    for row in rows:
        writer.writerow(row)
        if row["size"] == 1.5:
            lines.write("\n")
    return ("\ufeff" + lines.getvalue()).encode()


def _jsonl(rows: Sequence[Mapping[str, Any]]) -> bytes:
    return "".join("{no json\n\n" if row["size"] == 6.0 else json.dumps(row) + "\n" for row in rows).encode()


def _parquet(rows: Sequence[Mapping[str, Any]]) -> bytes:
    types = {"id": pa.string(), "at": pa.string(), "note": pa.string(), "size": pa.float64()}
    table = pa.Table.from_pylist(list(rows), pa.schema(list(types.items())))
    content = io.BytesIO()
    pq.write_table(table, content, row_group_size=4)
    return content.getvalue()


def written(kind: str, rows: Sequence[Mapping[str, Any]]) -> bytes:
    """The rows as a file of the kind."""
    plain = {"csv": _csv, "jsonl": _jsonl, "parquet": _parquet}[kind.removesuffix(".gz")](rows)
    return gzip.compress(plain, mtime=0) if kind.endswith(".gz") else plain


@st.composite
def files(draw: st.DrawFn) -> tuple[str, bytes]:
    """A kind and a file of up to 25 rows, good ones, bad ones, and contradictions; sometimes torn off."""
    kind = draw(st.sampled_from(KINDS))
    content = written(kind, draw(st.integers(0, 25).flatmap(lambda n: st.lists(_rows, min_size=n, max_size=n))))
    torn = draw(st.sampled_from([0, 0, 0, 0, 0, 1, 9, 40]))
    return kind, content[: max(len(content) - torn, 0)]


sizes = st.builds(
    lambda rows, size: Sizes(WHOLE.batch, Limits(rows, size)),
    st.sampled_from([1, 3, 6, 9]),
    st.sampled_from([150, 9_999]),
)


@dataclass(frozen=True)
class Outcome:
    """All that is left of a drop for others to see."""

    reports: Mapping[str, Any]
    quarantine: Mapping[str, bytes]
    rows: Sequence[Mapping[str, Any]]
    rebuilt: frozenset[str]
    parts: frozenset[str]


class Dropping:
    """A system that loads dropped files."""

    def __init__(self, project: Project, sizes: Sizes) -> None:
        self.fuse = Fuse()
        self._source = project.source("things")
        self.inbox, self.blobs = CrashingBlobs(self.fuse, STORED_AT), CrashingBlobs(self.fuse)
        self.lake, self.queue, self.rebuild = (
            CrashingLake(self.fuse),
            CrashingQueue(self.fuse),
            CrashingQueue(self.fuse),
        )
        self._drops = LoadTask(
            project, live_sources(project), self.lake, self.blobs, self.inbox, self.queue, self.rebuild, sizes
        )

    def store(self, key: str, content: bytes, now: Micros = STORED_AT) -> None:
        """Drop a file; the event that says so waits in the queue."""
        self.inbox.now = now
        self.inbox.put(key, content)
        self.queue.send([{"dropped": key}])

    def deliver(self, position: int, *, crash_after: int | None = None, again: bool = False) -> None:
        """Give one of the messages to a worker, which may die; a message is gone only when its work is done."""
        position %= len(self.queue.messages)
        message = self.queue.messages[position]
        self.fuse.crash_after(crash_after)
        try:
            self._work(message)
        except (Crash, Conflict):
            return
        finally:
            self.fuse.crash_after(None)
        if not again:
            self.queue.messages.remove(message)

    def _work(self, message: Mapping[str, Any]) -> None:
        if "dropped" in message:
            self._drops.take(message["dropped"])
        else:
            self._drops.take_part(message)

    def drain(self) -> None:
        """Deliver until nothing waits."""
        while self.queue.messages:
            self.deliver(0)

    def asked(self) -> frozenset[str]:
        """The keys of the records that the rebuild was asked for."""
        keys = keys_named(self._source, self.rebuild.messages, self.lake, STORED_AT)
        return frozenset(keys.to_pylist())

    def outcome(self) -> Outcome:
        """What others see, with the log read as its readers do: each version once."""
        objects = self.blobs.objects
        table = self.lake.read(records_table(self._source))
        rows = [] if table is None else history(table).to_pylist()
        return Outcome(
            {k: json.loads(v) for k, v in objects.items() if k.startswith("reports/")},
            {k: v for k, v in objects.items() if k.startswith("quarantine/")},
            sorted(rows, key=lambda row: (row["key"], row["known_at"], row["digest"])),
            self.asked(),
            frozenset(k for k in self.inbox.objects if k.startswith("parts/") and not k.endswith(".json")),
        )
