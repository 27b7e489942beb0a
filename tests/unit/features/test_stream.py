"""Transactions, contention and crashes, by example."""

import json
from dataclasses import replace

import pytest

from smallbox.define import FeatureView, Source, count, mean, number, text, timestamp
from smallbox.define.project import project_of
from smallbox.errors import Conflict
from smallbox.features.online.apply import WRITE_ATTEMPTS, apply_records, sort_records
from smallbox.features.online.reads import TRANSACTION_ITEMS
from smallbox.features.online.rebuilder import Rebuilder, Rebuilt
from smallbox.features.online.states import state_key
from smallbox.features.online.transactions import plan_transactions
from smallbox.features.online.writes import write_states
from smallbox.features.stream import StreamTask
from smallbox.features.windows.state import WINDOW_STATES
from smallbox.lake.names import records_table
from smallbox.lake.schemas import records_to_table
from smallbox.messages.rebuilds import RebuildRequest
from smallbox.messages.records import pack_records
from smallbox.messages.split import MESSAGE_BYTES
from smallbox.ports import Marker, StateWrite
from smallbox.records import Record, Value
from smallbox.times import DAY, HOUR, parse_day
from tests.fakes.edges import FakeQueue
from tests.fakes.lake import FakeLake
from tests.fakes.live import live_store
from tests.fakes.online import Crash, FakeOnlineStore
from tests.fakes.small import depot, late_parcel

NOW = parse_day("2013-01-15")
source = Source(
    "s",
    "id",
    "at",
    {"id": text(), "at": timestamp(), "who": text(nullable=True), "place": text(), "x": number()},
    known_after="0s",
)
views = (
    FeatureView("by_who", "who", source, {"n": count("24h"), "x": mean("x", "3h")}),
    FeatureView("by_place", "place", source, {"places": count("24h")}),
)


def record(key: str, who: str | None = "a", x: float = 1.0, *, ago: int = HOUR, place: str = "p") -> Record:
    """A record of an hour ago."""
    time = NOW - ago
    values: dict[str, Value] = {"id": key, "at": time, "who": who, "place": place, "x": x}
    return Record("s", key, time, time, NOW, values)


def send(store: FakeOnlineStore, *records: Record) -> tuple[int, int, RebuildRequest | None]:
    """Apply one message."""
    outcome = apply_records(source, views, records, store, now=NOW, pause=lambda _: None)
    return outcome.applied, outcome.duplicates, outcome.rebuild


def counted(store: FakeOnlineStore, entity: str = "a", view: FeatureView = views[0]) -> float:
    """How many records the store counts."""
    key = state_key(view, entity)
    found = store.read([key])
    state = WINDOW_STATES.unpack(view, found[key].packed) if found else None
    return float(WINDOW_STATES.numbers(view, state, NOW)[0])


def world(*records: Record) -> tuple[FakeOnlineStore, FakeLake, Rebuilder]:
    """A store and a lake that holds these records."""
    store, lake = FakeOnlineStore(), FakeLake()
    lake.append(records_table(source), records_to_table(source, records))
    return store, lake, Rebuilder(source, views, lake, store, lambda _: None)


def test_records_are_sorted_by_what_can_be_done() -> None:
    """New ones are added, repeated ones dropped, corrections and late ones rebuilt."""
    old, late = record("old"), record("late", ago=3 * DAY)
    seen = {"s#old": old.digest, "s#said": "otherwise"}
    found = sort_records(source, [record("new"), record("new"), old, record("said"), late], seen, NOW)
    assert [r.key for r in found.fresh] == ["new"]
    assert [r.key for r in found.rebuild] == ["said", "late"]
    assert found.duplicates == 2


def test_a_correction_that_is_not_known_yet_waits() -> None:
    """The first version is added at once; a correction known only later is handed back, whatever their order."""
    first, later = record("k"), record("k", x=2.0, ago=-HOUR)
    for order in ([first, later], [first, later, first]):
        found = sort_records(source, order, {}, NOW)
        assert (found.fresh, found.early, found.rebuild) == ((first,), (later,), ())


def test_a_marker_says_what_counts() -> None:
    """After two versions of one moment, sending the one that lost again, known later, is a correction."""
    versions = sorted((record("k", x=1.0), record("k", x=2.0)), key=lambda r: r.digest)
    loser, winner = versions
    store, _, rebuilder = world(winner, loser)
    send(store, winner)
    rebuilder.correct(["k"], NOW)
    assert store.marked["s#k"].digest == winner.digest


def test_no_transaction_is_too_large() -> None:
    """A full message over many entities is planned as transactions of at most 100 items, each record in one."""
    fresh = [record(f"k{n}", f"who {n % 130}", place=f"place {n % 7}") for n in range(500)]
    transactions = list(plan_transactions(source, views, fresh, {}, NOW))
    assert all(len(t.markers) + len(t.states) <= TRANSACTION_ITEMS for t in transactions)
    assert sorted(m.id for t in transactions for m in t.markers) == sorted(f"s#k{n}" for n in range(500))


def test_a_message_resumes_after_a_crash() -> None:
    """After a crash between two transactions a second run does only what is left."""
    records = [record(f"k{n}") for n in range(250)]
    store = FakeOnlineStore()
    store.crash_after(1)
    with pytest.raises(Crash):
        send(store, *records)
    store.crash_after(None)
    assert 0 < len(store.marked) < 250
    applied, duplicates, _ = send(store, *records)
    assert applied + duplicates == 250
    assert duplicates > 0
    assert counted(store) == counted(store, "p", views[1]) == 250


def test_two_workers_with_one_message_count_it_once() -> None:
    """When another worker applies the same message in between, the conflict is seen and nothing is added twice."""
    store = FakeOnlineStore()
    store.meanwhile.append(lambda: send(store, record("k"), record("l")))
    assert send(store, record("k"), record("m"))[:2] == (1, 1)
    assert counted(store) == 3


def test_a_large_batch_gets_on_under_contention() -> None:
    """Another writer meets more transactions than there are attempts: what is added stays, and the rest follows."""
    store = FakeOnlineStore()
    places = [f"place {n:02d}" for n in range(12)]
    records = [record(f"k{n:04d}", None, place=place) for n, place in enumerate(places * 95)]

    def disturb(place: str) -> None:
        send(store, record(f"other {place}", None, place=place))

    for place in places:
        # one transaction of ours passes before the next disturbance, which is of the place that is written then
        store.meanwhile += [lambda place=place: disturb(place), lambda: None]  # type: ignore[misc]
    assert len(places) > WRITE_ATTEMPTS
    assert send(store, *records) == (12 * 95, 0, None)
    assert [counted(store, place, views[1]) for place in places] == [96] * 12


def test_records_are_ordered_for_the_fewest_transactions() -> None:
    """By the place, of which there are few: by who, each transaction would write all places besides."""
    fresh = [record(f"k{n}", f"who {n}", place=f"place {n % 10}") for n in range(490)]
    transactions = list(plan_transactions(source, views, fresh, {}, NOW))
    assert len(transactions) == 10
    assert sum(len(t.states) for t in transactions) <= 490 + 2 * 10


def test_contention_without_end_is_a_conflict() -> None:
    """When every attempt meets another writer the message is left to the queue."""
    store = FakeOnlineStore()
    others = iter(range(1000))

    def write() -> None:
        key = state_key(views[0], "a")
        version = store.states[key].version if key in store.states else 0
        packed = WINDOW_STATES.pack(views[0], WINDOW_STATES.empty(views[0]))
        FakeOnlineStore.commit(store, [Marker(f"other {next(others)}", "", 0)], [StateWrite(key, packed, version)])

    store.meanwhile += [write] * 100
    with pytest.raises(Conflict):
        send(store, record("k"))


def test_a_record_without_an_entity_is_marked_only() -> None:
    """A record that has no entity in a view leaves that view alone, and is still known as applied."""
    store = FakeOnlineStore()
    send(store, record("k", who=None))
    assert [key.view for key in store.states] == ["by_place"]
    assert "s#k" in store.marked


def test_a_correction_that_moves_a_record() -> None:
    """A correction with another entity is asked of a rebuild, which takes it from the one and gives it to the other."""
    before, after = record("k", "a"), record("k", "b")
    after = Record(**{**after.as_json(), "received_at": NOW + 1})
    store, _, rebuilder = world(before, after)
    send(store, before)
    request = send(store, after)[2]
    assert request == RebuildRequest("s", {"k": after.digest})
    assert not rebuilder.correct(request.as_json()["digests"], NOW + 1).later
    assert (counted(store, "a"), counted(store, "b")) == (0, 1)
    assert send(store, after)[1:] == (1, None)


def test_a_rebuild_and_the_stream_at_once() -> None:
    """A record that the stream adds while a rebuild runs counts once, in whatever order the two write."""
    first, second = record("first"), record("second")
    store, _, rebuilder = world(first, second)
    store.meanwhile.append(lambda: send(store, second))
    rebuilder.correct(["first"], NOW)
    assert not store.meanwhile
    assert counted(store) == counted(store, "p", views[1]) == 2


def test_a_rebuild_between_reading_and_writing_of_the_stream() -> None:
    """A rebuild that writes while the stream has read the old state makes the stream read again."""
    first, second = record("first"), record("second")
    store, _, rebuilder = world(first, second)
    store.meanwhile.append(lambda: rebuilder.materialize(NOW))
    assert send(store, second)[:2] == (0, 1)
    assert counted(store) == 2


def test_a_hot_entity_is_written_once_a_batch() -> None:
    """Ninety messages about one entity are one transaction: its state once, and their markers."""
    store, model = FakeOnlineStore(), replace(late_parcel, views=(depot,))
    streamer = StreamTask(project_of([model]), live_store(depot), store, FakeQueue(), FakeQueue(), lambda _: None)
    values: dict[str, Value] = {"depot": "north", "delay": 1.0, "late": False}
    records = [
        Record("deliveries", f"p{n}", NOW, NOW, NOW, {**values, "parcel_id": f"p{n}", "delivered_at": NOW})
        for n in range(90)
    ]
    streamer.apply([message for record in records for message in pack_records([record])], NOW)
    assert store.commits == 1
    assert store.states[state_key(depot, "north")].version == 1


def test_a_large_request_is_split() -> None:
    """Thousands of late records with long keys are asked of rebuilds whose messages each fit into the queue."""
    requests, project = FakeQueue(), project_of([replace(late_parcel, views=(depot,))])
    streamer = StreamTask(project, live_store(depot), FakeOnlineStore(), FakeQueue(), requests, lambda _: None)
    old = NOW - 9 * DAY
    values: dict[str, Value] = {"depot": "north", "delay": 1.0, "late": False, "delivered_at": old}
    keys = [f"{n:0>200}" for n in range(2_500)]
    late = [Record("deliveries", k, old, old, NOW, {**values, "parcel_id": k}) for k in keys]
    streamer.apply(pack_records(late), NOW)
    sent = requests.take()
    assert len(sent) > 1
    assert all(len(json.dumps(message)) < MESSAGE_BYTES for message in sent)
    assert sorted(key for message in sent for key in message["digests"]) == keys
    assert all("as_of" not in message for message in sent), "it is done as of when its turn comes"
    streamer.apply([{**message, "as_of": NOW - DAY} for message in pack_records(late[:1])], NOW)
    assert [message["as_of"] for message in requests.take()] == [NOW - DAY]


def test_one_contended_state_holds_no_other_up() -> None:
    """Of states that are written together the one that somebody else wrote is left, and all others are there."""
    store, writes = FakeOnlineStore(), [StateWrite(state_key(views[0], str(n)), b"new", 0) for n in range(250)]
    store.commit([], [StateWrite(state_key(views[0], "120"), b"theirs", 0)])
    before = store.commits
    assert write_states(store, writes) == [state_key(views[0], "120")]
    assert {state.packed for key, state in store.states.items() if key.entity != "120"} == {b"new"}
    assert store.states[state_key(views[0], "120")].packed == b"theirs"
    assert store.commits - before == 2 + 99
    large = [StateWrite(state_key(views[1], str(n)), bytes(300_000), 0) for n in range(24)]
    before = store.commits
    assert write_states(store, large) == []
    assert store.commits - before == 3


def test_materializing_twice_changes_nothing() -> None:
    """Materializing after a crash, or again, gives the same values."""
    store, _, rebuilder = world(*(record(f"k{n}", place=str(n % 3)) for n in range(30)))
    store.crash_after(1)
    with pytest.raises(Crash):
        rebuilder.materialize(NOW)
    store.crash_after(None)
    assert rebuilder.materialize(NOW).states == rebuilder.materialize(NOW).states == 4
    assert counted(store) == 30


def test_nothing_in_the_lake_is_nothing_to_do() -> None:
    """Without a table there is nothing to rebuild."""
    rebuilder = Rebuilder(source, views, FakeLake(), FakeOnlineStore(), lambda _: None)
    assert rebuilder.materialize(NOW).states == 0
    assert rebuilder.correct(["k"], NOW) == Rebuilt()
