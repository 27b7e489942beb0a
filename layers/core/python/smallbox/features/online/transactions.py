"""The transactions that add records to states: as few as the limits of DynamoDB allow.

A transaction holds a marker of each of its records and each state that they change. Records of one entity stand next to
each other, so that its state is written once. With several views, records can be sorted by one of them only; the order
that needs the fewest items is taken.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from smallbox.define.attributes import View
from smallbox.define.source import Source
from smallbox.features.online.markers import marker
from smallbox.features.online.reads import TRANSACTION_BYTES, TRANSACTION_ITEMS
from smallbox.features.online.states import add_to_each, fits, lifetime, pack_state, state_key, unpack_state
from smallbox.ports import Marker, StateKey, StateWrite, StoredState
from smallbox.records import Record
from smallbox.times import Micros


@dataclass(frozen=True, slots=True)
class Transaction:
    """One atomic write: at most ``TRANSACTION_ITEMS`` items; empty if no record fits.

    Attributes:
        added: the records that it adds.
        markers: their markers.
        states: the states with these records.
        left: records that are not added: one of their states would exceed its size limit.
    """

    added: tuple[Record, ...]
    markers: tuple[Marker, ...]
    states: tuple[StateWrite, ...]
    left: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class _Change:
    """Versions of one record, and the states that they change: one per view in which a version has an entity."""

    versions: tuple[Record, ...]
    states: Mapping[StateKey, View]


def states_changed(views: Sequence[View], records: Iterable[Record]) -> list[StateKey]:
    """The keys of the states that records change, each once."""
    return list(dict.fromkeys(key for record in records for key in _change(views, record).states))


def cut_records(views: Sequence[View], records: Iterable[Record]) -> list[list[Record]]:
    """Records in groups that each fit into a transaction, but for the bytes of states; versions of one stay together.

    The groups are few, because records of one entity stand next to each other.
    """
    by_key: dict[str, list[Record]] = {}
    for record in records:
        by_key.setdefault(record.key, []).append(record)
    changes = [_change(views, *versions) for versions in by_key.values()]
    return [[record for change in batch for record in change.versions] for batch in _fewest(views, changes, {})]


def _change(views: Sequence[View], *versions: Record) -> _Change:
    entities = ((view, view.entity_of(record.values)) for record in versions for view in views)
    return _Change(versions, {state_key(view, entity): view for view, entity in entities if entity is not None})


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
    changes = [_change(views, record) for record in fresh]
    view_of = {key: view for change in changes for key, view in change.states.items()}
    versions = {key: state.version for key, state in stored.items()}
    states = {key: unpack_state(view, stored[key].packed) for key, view in view_of.items() if key in stored}
    for batch in _fewest(views, changes, {key: len(state.packed) for key, state in stored.items()}):
        added, grown = _with_room(batch, states, now)
        writes = []
        for key, (state, packed) in grown.items():
            states[key] = state
            expected = versions.get(key, 0)
            writes.append(StateWrite(key, packed, expected, lifetime(view_of[key])))
            versions[key] = expected + 1
        records = tuple(record for change in added for record in change.versions)
        keys = {record.key for record in records}
        left = tuple(record for change in batch for record in change.versions if record.key not in keys)
        yield Transaction(records, tuple(marker(source, views, record) for record in records), tuple(writes), left)


def _with_room(
    batch: Sequence[_Change], states: Mapping[StateKey, Any], now: Micros
) -> tuple[Sequence[_Change], dict[StateKey, tuple[Any, bytes]]]:
    """The records that fit into all of their states, and those states with them added, also packed."""
    grown: dict[StateKey, tuple[Any, bytes]] = {}
    for view, added in _by_view(batch).items():
        before = [(states.get(key), records) for key, records in added.items()]
        for key, state in zip(added, add_to_each(view, before, now), strict=True):
            grown[key] = state, pack_state(view, state)
    full = {key for key, (_, packed) in grown.items() if not fits(packed)}
    if not full:
        return batch, grown
    return _with_room([change for change in batch if full.isdisjoint(change.states)], states, now)


def _by_view(batch: Iterable[_Change]) -> dict[View, dict[StateKey, list[Record]]]:
    found: dict[View, dict[StateKey, list[Record]]] = {}
    for change in batch:
        for key, view in change.states.items():
            found.setdefault(view, {}).setdefault(key, []).extend(change.versions)
    return found


def _fewest(
    views: Sequence[View], changes: Sequence[_Change], sizes: Mapping[StateKey, int]
) -> Sequence[Sequence[_Change]]:
    """The batches of the order that needs the fewest of them, and then the fewest states."""
    orders = [list(_batches(order, sizes)) for order in _orders(views, changes)]
    return min(orders, key=lambda batches: (len(batches), sum(_states_of(batch) for batch in batches)))


def _states_of(batch: Iterable[_Change]) -> int:
    return len({key for change in batch for key in change.states})


def _orders(views: Sequence[View], changes: Sequence[_Change]) -> Iterator[Sequence[_Change]]:
    """The records by entity: of the view with the most entities first, or of the view with the fewest."""
    entities = {view: len({key for key, own in _pairs(changes) if own is view}) for view in views}
    ranked = sorted(views, key=entities.__getitem__)
    for order in [ranked] if len(ranked) < 2 else [ranked, ranked[::-1]]:  # noqa: PLR2004 - one view has one order
        yield sorted(changes, key=lambda change: _place(change, order))


def _pairs(changes: Iterable[_Change]) -> Iterator[tuple[StateKey, View]]:
    return (pair for change in changes for pair in change.states.items())


def _place(change: _Change, order: Sequence[View]) -> list[str]:
    entity = {view: key.entity for key, view in change.states.items()}
    return [entity.get(view, "") for view in order]


def _batches(changes: Sequence[_Change], sizes: Mapping[StateKey, int]) -> Iterator[list[_Change]]:
    """Cut ordered records so that their markers and states fit into a transaction."""
    batch: list[_Change] = []
    states: set[StateKey] = set()
    room = TRANSACTION_BYTES
    for change in changes:
        new = change.states.keys() - states
        size = sum(sizes.get(key, 0) for key in new)
        if batch and (len(batch) + 1 + len(states) + len(new) > TRANSACTION_ITEMS or size > room):
            yield batch
            batch, states, room, new = [], set(), TRANSACTION_BYTES, set(change.states)
            size = sum(sizes.get(key, 0) for key in new)
        batch.append(change)
        states |= new
        room -= size
    if batch:
        yield batch
