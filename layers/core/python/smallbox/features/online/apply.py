"""The stream engine: each record into the online states of its entities exactly once.

A transaction holds the markers of some records and all the states that they change, so a record is applied to all
its views or to none, and a message that is processed again after a crash finds the markers of what was done. What
the stream cannot do by adding is asked of a rebuild from the lake: corrections, records so late that their markers
may be gone, and records for which a state has no room. The lake holds a record before the stream sees it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, TypeVar

from smallbox.define.attributes import View
from smallbox.define.source import Source
from smallbox.errors import Conflict
from smallbox.features.online.states import add_records, farthest, fits, lifetime, pack_state, state_key, unpack_state
from smallbox.messages.rebuilds import RebuildRequest
from smallbox.ports import Marker, OnlineStore, StateKey, StateWrite, StoredState
from smallbox.records import Record
from smallbox.times import DAY, Micros

TRANSACTION_ITEMS: Final = 100
"""How many items a transaction, or a read of many states, may have."""

TRANSACTION_BYTES: Final = 3_000_000
"""How many bytes of states are written together: DynamoDB takes 4 MB, keys and growth among them."""

WRITE_ATTEMPTS: Final = 8

MARKER_MARGIN: Final[Micros] = DAY
"""How much longer than needed a marker lives; far more than clocks differ."""

Pause = Callable[[int], None]
"""Waits before the given attempt, from 1; the caller's, since waiting needs a clock and jitter."""

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Transaction:
    """What is written together: at most ``LIMIT`` items; none when no state has room for its records.

    Attributes:
        markers: those of the records that are added.
        states: the states with them.
        left: records that are not added, since one of their states has no room.
    """

    markers: tuple[Marker, ...]
    states: tuple[StateWrite, ...]
    left: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class Sorted:
    """Records by what is to be done with them.

    Attributes:
        fresh: to be added to their states.
        duplicates: how many were there already.
        rebuild: corrections and records that came too late, whose states are to be rebuilt.
        early: corrections that are known only later than now.
    """

    fresh: tuple[Record, ...]
    duplicates: int
    rebuild: tuple[Record, ...]
    early: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a message.

    Attributes:
        applied: how many records were added.
        duplicates: how many had been added before.
        rebuild: what must be asked of a rebuild before the message is done; ``None`` when nothing.
        early: corrections that are known only later than now; send them again then.
    """

    applied: int
    duplicates: int
    rebuild: RebuildRequest | None
    early: tuple[Record, ...]


def marker_id(source: str, key: str) -> str:
    """The id of a record's marker."""
    return f"{source}#{key}"


def expiry(source: Source, views: Sequence[View], time: Micros, known_at: Micros) -> Micros:
    """When a record's marker may go: a day after it would be too late, and after its last window.

    Within the lateness the marker tells a duplicate; as long as a window holds the record, it tells a correction,
    which may come much later.
    """
    return max(known_at + source.lateness_micros, time + farthest(views)) + MARKER_MARGIN


def marker(source: Source, views: Sequence[View], record: Record) -> Marker:
    """A record's marker."""
    expires_at = expiry(source, views, record.time, record.known_at)
    return Marker(marker_id(source.name, record.key), record.digest, expires_at)


def state_keys(views: Iterable[View], record: Record) -> Iterator[tuple[View, StateKey]]:
    """The states that a record changes, one per view in which it has an entity."""
    for view in views:
        entity = view.entity_of(record.values)
        if entity is not None:
            yield view, state_key(view, entity)


def sort_records(source: Source, records: Sequence[Record], seen: Mapping[str, str], now: Micros) -> Sorted:
    """Decide what is to be done with each record of a message.

    Args:
        source: their source.
        records: the message's records.
        seen: the digests that the markers hold, by marker id.
        now: the present, or a replay's.
    """
    fresh: dict[str, Record] = {}
    rebuild: dict[str, Record] = {}
    early: list[Record] = []
    for record in records:
        said = seen.get(marker_id(source.name, record.key))
        before = fresh[record.key].digest if said is None and record.key in fresh else said
        is_late = now - record.known_at > source.lateness_micros
        if before is None and not is_late:
            fresh[record.key] = record
        elif before == record.digest:
            continue
        elif record.known_at > now:
            early.append(record)
        else:
            rebuild[record.key] = record
    new = tuple(record for key, record in fresh.items() if key not in rebuild)
    duplicates = len(records) - len(new) - len(rebuild) - len(early)
    return Sorted(new, duplicates, tuple(rebuild.values()), tuple(early))


def plan_transactions(
    source: Source,
    views: Sequence[View],
    fresh: Sequence[Record],
    stored: Mapping[StateKey, StoredState],
    now: Micros,
) -> Iterator[Transaction]:
    """The transactions that add fresh records to the stored states, each expecting the one before it.

    Raises:
        NotReady: when a state was stored for another definition of its view.
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
    """Those records whose states all have room for them, and these states with them, also packed."""
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
    """Records in groups whose markers and states fit into a transaction; equal entities are kept together."""
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
    """Apply a message's records; doing it again, wholly or after a crash halfway, changes nothing.

    Raises:
        Conflict: when others kept writing the same states in all of ``ATTEMPTS`` attempts; process it again.
        NotReady: when a state was stored for another definition of its view.
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
    raise Conflict(f"the states of {source.name} stayed contended", source=source.name)


def _request(source: Source, records: Sequence[Record]) -> RebuildRequest | None:
    return RebuildRequest(source.name, {record.key: record.digest for record in records}) if records else None


def read_states(store: OnlineStore, keys: Iterable[StateKey]) -> dict[StateKey, StoredState]:
    """Those of the states that are stored, however many are asked for."""
    return {key: state for some in chunks(dict.fromkeys(keys)) for key, state in store.read(some).items()}


def read_markers(store: OnlineStore, ids: Iterable[str]) -> dict[str, str]:
    """The digests of those that have a marker, however many are asked for."""
    return {id_: said for some in chunks(dict.fromkeys(ids)) for id_, said in store.markers(some).items()}


def chunks(items: Iterable[Item], size: int = TRANSACTION_ITEMS) -> Iterator[list[Item]]:
    """The items in lists of at most that many."""
    rest = iter(items)
    while some := list(islice(rest, size)):
        yield some
