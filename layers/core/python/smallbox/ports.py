"""What the stages need of the outside world: small protocols, each with an adapter in ``aws`` and a fake in tests.

One contract suite per port runs on both.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from smallbox.times import Micros

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Between:
    """A half-open range of a column: ``start <= value < end``."""

    column: str
    start: Micros
    end: Micros


@dataclass(frozen=True, slots=True)
class TableProgress:
    """How far a table has followed its log.

    Attributes:
        version: every row of the log up to this commit has been taken up; -1: none has.
        as_of: the moment whose knowledge the table holds, microseconds.
    """

    version: int
    as_of: Micros


class Lake(Protocol):
    """Tables of columns. A name has parts: ``records/arrivals``, ``current/arrivals``, ``predictions/late_arrival``.

    Rows of a table have an ``int64`` column ``time`` (event time, microseconds). Tables are appended to, apart from
    ``replace`` and ``upsert``.
    """

    def append(self, table: str, rows: "pa.Table") -> None:
        """Add rows in one atomic commit; creates the table when it is not there. No rows: nothing happens."""

    def read(
        self,
        table: str,
        columns: Sequence[str] | None = None,
        between: Between | None = None,
        keys: "pa.ChunkedArray | None" = None,
        *,
        key: str = "key",
    ) -> "pa.Table | None":
        """The rows, in no order; ``None`` when there is no such table.

        ``between`` is on ``time`` or another int64. With ``keys`` only rows with one of these texts in the column named
        ``key``, which must be among the columns; memory holds no more than these.
        """

    def slices(self, table: str, after: int = -1, between: Between | None = None) -> "Iterator[pa.Table]":
        """The rows in slices that fit into memory, each row at least once; none when there is no such table.

        Args:
            table: its name.
            after: only rows that were appended after the commit of that number. When the commits since then are no
                longer kept, all rows.
            between: only rows in this range; not together with ``after``.
        """

    def upsert(self, table: str, rows: "pa.Table", progress: TableProgress) -> None:
        """Write rows, each in place of the one with its ``key``, and how far the table has come, in one atomic commit.

        Creates the table when it is not there. ``rows`` has each key once and every column of the table; it may be
        empty, then only the progress is written.

        Raises:
            Conflict: when another writer has written the table at the same time; nothing was written then.
        """

    def progress(self, table: str) -> TableProgress | None:
        """What the latest ``upsert`` wrote; ``None`` when there was none."""

    def replace(self, table: str, rows: "pa.Table", between: Between) -> None:
        """Replace the rows whose ``time`` lies in the range by these, in one atomic commit."""

    def delete(self, table: str, keys: "pa.Array", *, key: str = "key") -> int:
        """Delete the rows with one of these texts in the column ``key``; how many there were.

        Atomic for up to 1,000 keys at a time. No keys or no such table: nothing happens.
        """

    def version(self, table: str) -> int | None:
        """The number of the latest commit; ``None`` when there is no such table."""

    def files(self, table: str) -> int:
        """How many files a reader of the whole table opens; 0 when there is no such table."""

    def compact(self, table: str) -> None:
        """Rewrite small files as large ones; the rows stay the same."""

    def vacuum(self, table: str) -> None:
        """Remove what no reader needs any more: files replaced longer ago than the retention, and old log entries.

        The rows stay the same, and opening the table takes no longer however many commits it has had.
        """


@dataclass(frozen=True, slots=True)
class StoredObject:
    """What a store says of the bytes that it gave.

    Attributes:
        at: when these bytes were stored, to the second, rounded down.
        tag: tells them from other bytes under the same key.
    """

    at: Micros
    tag: str


class Blobs(Protocol):
    """Objects by key, like a bucket."""

    def get(self, key: str) -> bytes:
        """The object's content; :class:`~smallbox.errors.NotStored` when it is not there."""

    def download(self, key: str, into: BinaryIO) -> StoredObject:
        """Stream an object into a file, and go to its beginning; :class:`~smallbox.errors.NotStored` as above.

        What is returned belongs to the very bytes that were read, whatever is written meanwhile.
        """

    def put(self, key: str, content: bytes) -> None:
        """Write or overwrite an object."""

    def list(self, prefix: str) -> Sequence[str]:
        """All keys with the prefix, in order."""

    def delete(self, key: str) -> None:
        """Remove an object; nothing happens when it is not there."""


@dataclass(frozen=True, slots=True)
class StateKey:
    """Names the online state of one entity of one version of a view."""

    view: str
    entity: str
    version: str = ""


@dataclass(frozen=True, slots=True)
class StoredState:
    """A packed state as it was read, and the number of its version."""

    packed: bytes
    version: int


@dataclass(frozen=True, slots=True)
class StateWrite:
    """A state to write, if the stored version is still ``expected`` (0: nothing is stored).

    ``lifetime`` is how long after this write it may still be needed; ``None`` is for ever.
    """

    key: StateKey
    packed: bytes
    expected: int
    lifetime: Micros | None = None


@dataclass(frozen=True, slots=True)
class Marker:
    """Says that the stream has applied a record: one per source and key, with what the record said.

    Attributes:
        id: the source and the key.
        digest: the record's digest.
        expires_at: when the marker may go.
    """

    id: str
    digest: str
    expires_at: Micros


class StateReader(Protocol):
    """States of entities, to read: all that a prediction needs of the online store."""

    def read(self, keys: Sequence[StateKey]) -> Mapping[StateKey, StoredState]:
        """The states that are stored, in one round trip for up to 100 keys; the others are left out."""


class OnlineStore(StateReader, Protocol):
    """States of entities and markers of applied records."""

    def markers(self, ids: Sequence[str]) -> Mapping[str, str]:
        """The digests of those records that have a marker."""

    def commit(self, markers: Sequence[Marker], states: Sequence[StateWrite]) -> None:
        """Write all or nothing, at most 100 items together.

        Raises:
            Conflict: when a marker is there already, or a state is no longer at its expected version.
        """

    def mark(self, markers: Sequence[Marker]) -> None:
        """Write markers whether or not they are there; any number, not atomic."""


class Documents(Protocol):
    """Small JSON documents by partition and sort key: the registry, the routing, the metrics."""

    def get(self, partition: str, sort: str) -> Mapping[str, Any] | None:
        """One document, read consistently; ``None`` when it is not there."""

    def query(self, partition: str, prefix: str = "") -> Sequence[Mapping[str, Any]]:
        """The documents of a partition whose sort key has the prefix, in the order of the sort key."""

    def put(self, partition: str, sort: str, document: Mapping[str, Any]) -> None:
        """Write or overwrite a document."""

    def put_new(self, partition: str, sort: str, document: Mapping[str, Any]) -> None:
        """Write a document; :class:`~smallbox.errors.Conflict` when there is one already."""

    def swap(self, partition: str, sort: str, document: Mapping[str, Any], revision: int) -> None:
        """Overwrite a document whose ``revision`` is still that number (0: none there) with ``revision + 1``.

        Raises:
            Conflict: when it is not.
        """


class Queue(Protocol):
    """Sends JSON messages."""

    def send(self, messages: Sequence[Mapping[str, Any]], delay: Micros = 0) -> None:
        """Send all, to be seen after a delay; :class:`~smallbox.errors.Unavailable` when any was not taken.

        A :class:`~smallbox.messages.encoded.EncodedMessage` is sent as the text that it has.
        """


class Meter(Protocol):
    """Publishes figures that alarms watch, at the present time."""

    def publish(self, figures: Mapping[str, float], dimensions: Mapping[str, str]) -> None:
        """Publish each figure under its name and the dimensions."""


class Journal(Protocol):
    """Keeps what an operator must hear of, although the caller got an answer."""

    def fell_back(self, model: str, answers: int, why: Exception) -> None:
        """The model's fallback answered that many instances in place of a version, for that error."""


class Workflow(Protocol):
    """Starts a state machine."""

    def start(self, name: str, document: Mapping[str, Any]) -> str:
        """Start an execution of that name; starting a name again changes nothing. Returns its id."""
