"""The stream processor: applies each record to the online states of its entities exactly once.

A record's *marker* is its idempotency key in the online store. One transaction writes the markers of some records and
all the states that they change. So a record is applied to all its views or to none, and a message that is processed
again after a crash finds the markers of the records that are done.

Corrections, records so late that their markers may have expired, and records that would make a state exceed its size
limit cannot be added. The stream requests a rebuild from the lake for them; the lake has each record before the stream.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, TypeVar

from smallbox.define.attributes import View
from smallbox.define.source import Source
from smallbox.errors import Conflict
from smallbox.features.online.states import (
    add_records,
    fits,
    lifetime,
    longest_reach,
    pack_state,
    state_key,
    unpack_state,
)
from smallbox.messages.rebuilds import RebuildRequest
from smallbox.ports import Marker, OnlineStore, StateKey, StateWrite, StoredState
from smallbox.records import Record
from smallbox.times import DAY, Micros

TRANSACTION_ITEMS: Final = 100
"""The maximum number of items in a transaction or a batch read."""

TRANSACTION_BYTES: Final = 3_000_000
"""The maximum size of the states in a transaction; DynamoDB's limit of 4 MB also covers keys and the added records."""

WRITE_ATTEMPTS: Final = 8

CLAIMED: Final = ""
"""The content hash in the marker of a record that a backfill has counted. It equals no record's.

Views that the backfill did not fill may still lack the record, so whoever meets the marker requests a rebuild of all.
"""

MARKER_MARGIN: Final[Micros] = DAY
"""Added to a marker's TTL; far more than clock skew."""

Pause = Callable[[int], None]
"""Waits before retry number 1, 2, ...; injected by the caller, since backoff needs a clock and jitter."""

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Transaction:
    """One atomic write: at most ``TRANSACTION_ITEMS`` items; empty if no record fits.

    Attributes:
        markers: the markers of the added records.
        states: the states with these records.
        left: records that are not added: one of their states would exceed its size limit.
    """

    markers: tuple[Marker, ...]
    states: tuple[StateWrite, ...]
    left: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class SortedRecords:
    """The records of a message by the action they need.

    Attributes:
        fresh: to be added to their states.
        duplicates: the number of records that were applied before.
        rebuild: corrections and late records: their states must be rebuilt.
        early: corrections whose ``known_at`` is later than now.
    """

    fresh: tuple[Record, ...]
    duplicates: int
    rebuild: tuple[Record, ...]
    early: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class Applied:
    """The result of applying a message.

    Attributes:
        applied: the number of records that were added.
        duplicates: the number of records that had been added before.
        rebuild: the rebuild to request before the message is acknowledged; ``None`` means no rebuild.
        early: corrections whose ``known_at`` is later than now: send them again then.
    """

    applied: int
    duplicates: int
    rebuild: RebuildRequest | None
    early: tuple[Record, ...]


def marker_id(source: str, key: str) -> str:
    """The id of a record's marker."""
    return f"{source}#{key}"


def expiry(source: Source, views: Sequence[View], time: Micros, known_at: Micros) -> Micros:
    """The TTL of a record's marker: after the allowed lateness and after the record's last window, plus a margin.

    The marker detects duplicates within the lateness, and corrections for as long as a window contains the record.
    """
    return max(known_at + source.lateness_micros, time + longest_reach(views)) + MARKER_MARGIN


def marker(source: Source, views: Sequence[View], record: Record) -> Marker:
    """A record's marker."""
    expires_at = expiry(source, views, record.time, record.known_at)
    return Marker(marker_id(source.name, record.key), record.digest, expires_at)


def state_keys(views: Iterable[View], record: Record) -> Iterator[tuple[View, StateKey]]:
    """The states that a record changes: one per view in which the record has an entity."""
    for view in views:
        entity = view.entity_of(record.values)
        if entity is not None:
            yield view, state_key(view, entity)


def sort_records(source: Source, records: Sequence[Record], seen: Mapping[str, str], now: Micros) -> SortedRecords:
    """Decide which action each record of a message needs.

    A claimed record that is not known yet needs two: its first version counts at once, and a correction waits.

    Args:
        source: the records' source.
        records: the message's records.
        seen: the content hashes in the stored markers, by marker id.
        now: the current time, or a replay's simulated time.
    """
    fresh: dict[str, Record] = {}
    rebuild: dict[str, Record] = {}
    early: list[Record] = []
    for record in records:
        marked = seen.get(marker_id(source.name, record.key))
        before = fresh[record.key].digest if marked is None and record.key in fresh else marked
        is_late = now - record.known_at > source.lateness_micros
        if before is None and not is_late:
            fresh[record.key] = record
        elif before != record.digest:
            early += [record] if record.known_at > now else []
            rebuild |= {record.key: record} if record.known_at <= now or before == CLAIMED else {}
    new = tuple(record for key, record in fresh.items() if key not in rebuild)
    waiting = [record for record in early if rebuild.get(record.key) is not record]
    duplicates = len(records) - len(new) - len(rebuild) - len(waiting)
    return SortedRecords(new, duplicates, tuple(rebuild.values()), tuple(early))


def plan_transactions(
    source: Source,
    views: Sequence[View],
    fresh: Sequence[Record],
    stored: Mapping[StateKey, StoredState],
    now: Micros,
) -> Iterator[Transaction]:
    """The transactions that add fresh records to the stored states. Each expects the state versions the previous wrote.

    Raises:
        NotReady: if a state was stored for another definition of its view.
    """
    versions = {key: state.version for key, state in stored.items()}
    changed = _by_state(views, fresh)
    states = {key: unpack_state(view, stored[key].packed) for view, key in changed if key in stored}
    for batch in _batches(views, fresh, {key: len(state.packed) for key, state in stored.items()}):
        added, grown = _with_room(views, batch, states, now)
        writes = []
        for (view, key), (state, packed) in grown.items():
            states[key] = state
            writes.append(StateWrite(key, packed, versions.get(key, 0), lifetime(view)))
            versions[key] = versions.get(key, 0) + 1
        keys = {record.key for record in added}
        left = tuple(record for record in batch if record.key not in keys)
        yield Transaction(tuple(marker(source, views, record) for record in added), tuple(writes), left)


def _with_room(
    views: Sequence[View], batch: Sequence[Record], states: Mapping[StateKey, Any], now: Micros
) -> tuple[Sequence[Record], dict[tuple[View, StateKey], tuple[Any, bytes]]]:
    """The records that fit into all of their states, and those states with them added, also packed."""
    grown = {}
    for (view, key), added in _by_state(views, batch).items():
        state = add_records(view, states.get(key), added, now)
        grown[view, key] = state, pack_state(view, state)
    full = {key for (_, key), (_, packed) in grown.items() if not fits(packed)}
    if not full:
        return batch, grown
    rest = [record for record in batch if not full.intersection(key for _, key in state_keys(views, record))]
    return _with_room(views, rest, states, now)


def _by_state(views: Sequence[View], records: Iterable[Record]) -> dict[tuple[View, StateKey], list[Record]]:
    changed: dict[tuple[View, StateKey], list[Record]] = {}
    for record in records:
        for pair in state_keys(views, record):
            changed.setdefault(pair, []).append(record)
    return changed


def _batches(views: Sequence[View], records: Sequence[Record], sizes: Mapping[StateKey, int]) -> Iterator[list[Record]]:
    """Group records so that their markers and states fit into a transaction; records of one entity stay together."""
    with_keys = [([key for _, key in state_keys(views, record)], record) for record in records]
    with_keys.sort(key=lambda pair: [(key.view, key.entity) for key in pair[0]])
    batch: list[Record] = []
    states: set[StateKey] = set()
    for keys, record in with_keys:
        together = states.union(keys)
        size = sum(sizes.get(key, 0) for key in together)
        if batch and (len(batch) + 1 + len(together) > TRANSACTION_ITEMS or size > TRANSACTION_BYTES):
            yield batch
            batch, states = [], set()
        batch.append(record)
        states.update(keys)
    if batch:
        yield batch


def apply_records(
    source: Source,
    views: Sequence[View],
    records: Sequence[Record],
    store: OnlineStore,
    *,
    now: Micros,
    pause: Pause,
) -> Applied:
    """Apply a message's records; idempotent, also after a crash halfway.

    Raises:
        Conflict: if concurrent writes of the same states made all ``WRITE_ATTEMPTS`` fail: process the message again.
        NotReady: if a state was stored for another definition of its view.
    """
    applied = 0
    for attempt in range(WRITE_ATTEMPTS):
        if attempt:
            pause(attempt)
        seen = read_markers(store, (marker_id(source.name, record.key) for record in records))
        done = sort_records(source, records, seen, now)
        states = read_states(store, (key for _, key in _by_state(views, done.fresh)))
        left: list[Record] = []
        try:
            for transaction in plan_transactions(source, views, done.fresh, states, now):
                if transaction.markers:
                    store.commit(transaction.markers, transaction.states)
                applied += len(transaction.markers)
                left += transaction.left
        except Conflict:
            continue
        before = applied + len(left) - len(done.fresh)
        return Applied(applied, done.duplicates - before, _request(source, (*done.rebuild, *left)), done.early)
    raise Conflict(
        f"states of source {source.name} were written concurrently in all {WRITE_ATTEMPTS} attempts; "
        "process the message again",
        source=source.name,
    )


def _request(source: Source, records: Sequence[Record]) -> RebuildRequest | None:
    return RebuildRequest(source.name, {record.key: record.digest for record in records}) if records else None


def read_states(store: OnlineStore, keys: Iterable[StateKey]) -> dict[StateKey, StoredState]:
    """Read any number of states, in batches; keys without a state are left out."""
    return {key: state for some in chunks(dict.fromkeys(keys)) for key, state in store.read(some).items()}


def read_markers(store: OnlineStore, ids: Iterable[str]) -> dict[str, str]:
    """Read the content hashes of any number of markers, in batches; ids without a marker are left out."""
    return {id_: digest for some in chunks(dict.fromkeys(ids)) for id_, digest in store.markers(some).items()}


def chunks(items: Iterable[Item], size: int = TRANSACTION_ITEMS) -> Iterator[list[Item]]:
    """Split the items into lists of at most ``size``."""
    rest = iter(items)
    while some := list(islice(rest, size)):
        yield some
