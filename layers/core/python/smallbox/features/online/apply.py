"""The stream processor: applies each record to the online states of its entities exactly once.

A record's *marker* is its idempotency key in the online store. One transaction writes the markers of some records and
all the states that they change. So a record is applied to all its views or to none, and a message that is processed
again after a crash finds the markers of the records that are done.

Corrections, records so late that their markers may have expired, and records that would make a state exceed its size
limit cannot be added. The stream requests a rebuild from the lake for them; the lake has each record before the stream.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from smallbox.define.attributes import View
from smallbox.define.source import Source
from smallbox.errors import Conflict
from smallbox.features.online.markers import CLAIMED, marker_id
from smallbox.features.online.reads import read_markers, read_states
from smallbox.features.online.transactions import cut_records, plan_transactions, states_changed
from smallbox.messages.rebuilds import RebuildRequest
from smallbox.ports import OnlineStore, StateKey, StoredState
from smallbox.records import Record
from smallbox.times import Micros

WRITE_ATTEMPTS: Final = 8
"""The maximum number of attempts in a row that meet another writer and add nothing."""

Pause = Callable[[int], None]
"""Waits before retry number 1, 2, ...; injected by the caller, since backoff needs a clock and jitter."""


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

    The states of a group are read just before they are written, so that a worker seldom meets another one.

    Raises:
        Conflict: if concurrent writes of the same states made all ``WRITE_ATTEMPTS`` fail: process the message again.
        NotReady: if a state was stored for another definition of its view.
    """
    seen = read_markers(store, (marker_id(source.name, record.key) for record in records))
    adding = _Adding(source, views, store, now, pause, seen)
    done = [adding.add_group(group) for group in cut_records(views, records)]
    rebuild = [record for one, left in done for record in (*one.rebuild, *left)]
    early = tuple(record for one, _ in done for record in one.early)
    return Applied(adding.added, sum(one.duplicates for one, _ in done), _request(source, rebuild), early)


class _Adding:
    """Adds groups of records to states, one after the other.

    ``added`` is the number of records so far. The states that the previous group wrote are not read again. Markers are
    read before the first group: one that was written since then refuses the transaction, and the group is read again.
    """

    def __init__(
        self,
        source: Source,
        views: Sequence[View],
        store: OnlineStore,
        now: Micros,
        pause: Pause,
        seen: Mapping[str, str],
    ) -> None:
        self._source, self._views, self._store, self._now, self._pause = source, views, store, now, pause
        self._seen = seen
        self._written: dict[StateKey, StoredState] = {}
        self.added = 0

    def add_group(self, records: Sequence[Record]) -> tuple[SortedRecords, list[Record]]:
        """Add a group; what it needed at last, and the records whose states are full."""
        attempt, rest, seen = 0, list(records), self._seen
        while attempt < WRITE_ATTEMPTS:
            if attempt:
                self._pause(attempt)
                seen = read_markers(self._store, (marker_id(self._source.name, record.key) for record in rest))
            done = sort_records(self._source, rest, seen, self._now)
            added, left, is_complete = self._add(done.fresh)
            self.added += len(added)
            if is_complete:
                return done, left
            ours = set(map(id, added))
            rest = [record for record in rest if id(record) not in ours]
            # a group of large states has several transactions: an attempt that got on does not count
            attempt = 1 if added else attempt + 1
        raise Conflict(
            f"states of source {self._source.name} were written concurrently in all {WRITE_ATTEMPTS} attempts; "
            "process the message again",
            source=self._source.name,
        )

    def _add(self, fresh: Sequence[Record]) -> tuple[list[Record], list[Record], bool]:
        """Add records; those added, those left because a state is full, and whether no write met another writer's."""
        added: list[Record] = []
        left: list[Record] = []
        known, self._written = self._written, {}
        keys = states_changed(self._views, fresh)
        states = {key: known[key] for key in keys if key in known}
        states |= read_states(self._store, (key for key in keys if key not in states))
        try:
            for transaction in plan_transactions(self._source, self._views, fresh, states, self._now):
                if transaction.markers:
                    self._store.commit(transaction.markers, transaction.states)
                self._written |= {one.key: StoredState(one.packed, one.expected + 1) for one in transaction.states}
                added += transaction.added
                left += transaction.left
        except Conflict:
            self._written = {}
            return added, left, False
        return added, left, True


def _request(source: Source, records: Sequence[Record]) -> RebuildRequest | None:
    return RebuildRequest(source.name, {record.key: record.digest for record in records}) if records else None
