"""Ports: small protocols for everything outside the process. Each has an adapter in ``aws`` and a fake in the tests.

One contract test suite per port runs against both.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from smallbox.times import Micros

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Between:
    """Row filter: a half-open range of a column, ``start <= value < end``."""

    column: str
    start: Micros
    end: Micros


@dataclass(frozen=True, slots=True)
class TableProgress:
    """Watermark of a table that is derived from a log.

    Attributes:
        version: the table includes every row of the log up to this commit; -1: no row yet.
        as_of: the table holds what was known at this moment, microseconds.
    """

    version: int
    as_of: Micros


class Lake(Protocol):
    """Delta tables, named like ``records/arrivals``, ``current/arrivals`` or ``predictions/late_arrival``.

    Every table has an ``int64`` column ``time`` (event time, microseconds). Tables are append-only, apart from
    ``replace`` and ``upsert``. A table has every column that rows were ever written with; one that rows lack is null.
    """

    def append(self, table: str, rows: "pa.Table") -> None:
        """Append rows in one atomic commit; creates the table if needed. Without rows there is no commit."""

    def read(
        self,
        table: str,
        columns: Sequence[str] | None = None,
        between: Between | None = None,
        keys: "pa.ChunkedArray | None" = None,
        *,
        key: str = "key",
        schema: "pa.Schema | None" = None,
    ) -> "pa.Table | None":
        """Read rows, in no particular order; ``None`` when there is no such table.

        Args:
            table: its name.
            columns: the columns to read; all by default.
            between: only rows in this range of ``time`` or of another int64 column.
            keys: only rows whose column ``key`` has one of these texts; memory holds only the matching rows.
            key: the column for ``keys``; it must be among ``columns``.
            schema: columns that may be newer than every row, with their types: where the table has no such column, it
                is null. Another column that the table does not have is an error.
        """

    def slices(
        self,
        table: str,
        after: int = -1,
        between: Between | None = None,
        *,
        columns: Sequence[str] | None = None,
        schema: "pa.Schema | None" = None,
    ) -> "Iterator[pa.Table]":
        """Read rows in slices that fit into memory, each row at least once; no slices when there is no such table.

        Args:
            table: its name.
            after: only rows appended after this commit number. All rows, when the log no longer has these commits.
            between: only rows in this range; cannot be combined with ``after``.
            columns: the columns to read; all by default. Cannot be combined with ``after``.
            schema: columns that may be newer than every row, as in :meth:`read`.
        """

    def snapshot(self) -> "Lake":
        """A lake to read from, in which each table stays as it is when it is first read."""

    def upsert(self, table: str, rows: "pa.Table", progress: TableProgress) -> None:
        """Upsert rows by ``key`` and store the table's watermark, in one atomic commit.

        Creates the table if needed. ``rows`` must have each key once. Without rows only the watermark is written.

        Raises:
            Conflict: when another writer committed to the table at the same time; then nothing was written.
        """

    def progress(self, table: str) -> TableProgress | None:
        """The watermark of the latest ``upsert``; ``None`` when there was none."""

    def replace(self, table: str, rows: "pa.Table", between: Between) -> None:
        """Replace the rows whose ``time`` is in the range, in one atomic commit."""

    def delete(self, table: str, keys: "pa.Array", *, key: str = "key") -> int:
        """Delete the rows with one of these texts in the column ``key``; how many there were.

        Atomic for up to 1,000 keys at a time. No keys or no such table: nothing happens.
        """

    def version(self, table: str) -> int | None:
        """The number of the latest commit; ``None`` when there is no such table."""

    def files(self, table: str) -> int:
        """The number of files that a reader of the whole table opens; 0 when there is no such table."""

    def compact(self, table: str) -> None:
        """Rewrite small files as large ones; the rows stay the same."""

    def vacuum(self, table: str) -> None:
        """Delete files that were replaced longer ago than the retention, and old log entries.

        The rows stay the same. It also writes a checkpoint, so that opening the table does not slow down with the
        number of commits.
        """


@dataclass(frozen=True, slots=True)
class StoredObject:
    """Metadata of an object's content.

    Attributes:
        at: when this content was stored, microseconds, rounded down to the second.
        tag: entity tag: differs for other content under the same key.
    """

    at: Micros
    tag: str


class Blobs(Protocol):
    """Object store: content by key, like an S3 bucket."""

    def get(self, key: str) -> bytes:
        """The object's content; raises :class:`~smallbox.errors.NotStored` when there is no such object."""

    def download(self, key: str, into: BinaryIO) -> StoredObject:
        """Stream an object into a file and rewind the file; raises :class:`~smallbox.errors.NotStored` as above.

        The metadata belongs to the content that was read, even when the object is overwritten meanwhile.
        """

    def put(self, key: str, content: bytes) -> None:
        """Write or overwrite an object."""

    def put_new(self, key: str, content: bytes) -> None:
        """Conditional write: raises :class:`~smallbox.errors.Conflict` when the object exists already."""

    def upload(self, key: str, content: BinaryIO) -> None:
        """Write or overwrite an object, streamed from a file's position to its end."""

    def list(self, prefix: str) -> Sequence[str]:
        """All keys with the prefix, sorted."""

    def delete(self, key: str) -> None:
        """Delete an object; idempotent."""


@dataclass(frozen=True, slots=True)
class StateKey:
    """Key of the online state of one entity, for one version of a view."""

    view: str
    entity: str
    version: str = ""


@dataclass(frozen=True, slots=True)
class StoredState:
    """An encoded state as it was read, and its version number for optimistic concurrency."""

    packed: bytes
    version: int


@dataclass(frozen=True, slots=True)
class StateWrite:
    """Conditional write of a state: succeeds when the stored version is still ``expected`` (0: nothing is stored).

    ``lifetime`` is the TTL from this write on, microseconds; ``None`` keeps the state forever.
    """

    key: StateKey
    packed: bytes
    expected: int
    lifetime: Micros | None = None


@dataclass(frozen=True, slots=True)
class Marker:
    """Deduplication marker: the stream has applied this record. One per source and key.

    Attributes:
        id: the source and the key.
        digest: the record's content hash.
        expires_at: when the marker expires (TTL), microseconds.
    """

    id: str
    digest: str
    expires_at: Micros


class StateReader(Protocol):
    """Reads online states of entities: the part of the online store that a prediction needs."""

    def read(self, keys: Sequence[StateKey], within: Micros | None = None) -> Mapping[StateKey, StoredState]:
        """The stored states, in one round trip for up to 100 keys; keys without a state are left out.

        Args:
            keys: the keys.
            within: the longest time to wait, microseconds; ``None``: as long as the adapter waits by itself.

        Raises:
            Unavailable: when the store does not answer in time.
        """


class OnlineStore(StateReader, Protocol):
    """Online states of entities, and the deduplication markers of applied records."""

    def markers(self, ids: Sequence[str]) -> Mapping[str, str]:
        """The content hash of each record that has a marker, by marker id."""

    def commit(self, markers: Sequence[Marker], states: Sequence[StateWrite]) -> None:
        """Write markers and states in one transaction, at most 100 items together.

        Raises:
            Conflict: when a marker exists already, or a state is no longer at its expected version.
        """

    def mark(self, markers: Sequence[Marker]) -> None:
        """Write or overwrite any number of markers; not atomic."""


class Documents(Protocol):
    """Small JSON documents by partition key and sort key: registry, routing and metrics."""

    def get(self, partition: str, sort: str, within: Micros | None = None) -> Mapping[str, Any] | None:
        """One document, by a consistent read; ``None`` when there is none. ``within``: as in ``StateReader.read``."""

    def query(self, partition: str, prefix: str = "") -> Sequence[Mapping[str, Any]]:
        """The documents of a partition whose sort key has the prefix, ordered by sort key."""

    def put(self, partition: str, sort: str, document: Mapping[str, Any]) -> None:
        """Write or overwrite a document."""

    def put_new(self, partition: str, sort: str, document: Mapping[str, Any]) -> None:
        """Conditional write: raises :class:`~smallbox.errors.Conflict` when the document exists already."""

    def swap(self, partition: str, sort: str, document: Mapping[str, Any], revision: int) -> None:
        """Conditional write: replace the document if its ``revision`` is still this, and store ``revision + 1``.

        Revision 0 means that there is no document yet.

        Raises:
            Conflict: when the stored revision is another one.
        """


class Queue(Protocol):
    """Sends JSON messages to a queue."""

    def send(self, messages: Sequence[Mapping[str, Any]], delay: Micros = 0, within: Micros | None = None) -> None:
        """Send all messages, visible after ``delay`` microseconds.

        ``within`` is the longest time to wait, microseconds; ``None``: as long as the adapter waits by itself.

        An :class:`~smallbox.messages.encoded.EncodedMessage` is sent as its text, without encoding it again.

        Raises:
            Unavailable: when the queue did not accept every message.
        """


class Meter(Protocol):
    """Publishes metrics that alarms watch, with the present time as timestamp."""

    def publish(self, figures: Mapping[str, float], dimensions: Mapping[str, str]) -> None:
        """Publish each metric, by name, with these dimensions."""


class Workflow(Protocol):
    """Starts executions of a state machine."""

    def start(self, name: str, document: Mapping[str, Any]) -> str:
        """Start an execution with this name and return its id; idempotent per name."""
