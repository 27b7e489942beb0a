"""What a record costs the stream function: processor time, transactions, and dollars for a million records an hour.

Run: ``python benchmarks/streams.py``. The function's own classes apply queue messages of records to a table
that is stubbed at the transport, in another process: the times are the function's alone. Every entity has a state of
some hundred records before. Times are the best of the batches of a shape.
"""

import argparse
import io
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.costs.stream import StreamUnits, dollars_a_million, workers_for
from benchmarks.stubs.dynamodb import StubbedTable, stubbed_table
from smallbox.aws.batch import consume
from smallbox.aws.online import DynamoOnlineStore
from smallbox.aws.signed.dynamodb import SignedDynamoDb
from smallbox.define import FeatureView, Source, boolean, count, maximum, mean, number, rate, text, timestamp
from smallbox.define.project import Project
from smallbox.features.live_views import LiveView, LiveViews, LiveViewStore, id_of
from smallbox.features.online.reads import chunks
from smallbox.features.online.states import state_key
from smallbox.features.state_engines import state_engine_of
from smallbox.features.stream import StreamTask
from smallbox.messages.records import pack_records
from smallbox.ports import StateWrite
from smallbox.records import Record
from smallbox.times import DAY, HOUR, Micros

NOW: Micros = 20_000 * DAY + 13 * HOUR
BEFORE = 100
"""Records of each entity that its state holds already, spread over a week."""
BATCHES = 3

payments = Source(
    "payments",
    key="id",
    time="at",
    known_after="0s",
    fields={
        "id": text(), "at": timestamp(), "card": text(), "shop": text(), "amount": number(), "fee": number(),
        "good": boolean(), "country": text(),
    },
)  # fmt: skip


def view_of(entity: str) -> FeatureView:
    """Six features over two windows."""
    features = {
        f"{entity}_{name}_{window}": aggregate
        for window in ("24h", "7d")
        for name, aggregate in (
            ("count", count(window)), ("amount", mean("amount", window)), ("good", rate("good", window)),
        )
    }  # fmt: skip
    return FeatureView(f"by_{entity}", entity, payments, {**features, f"{entity}_most": maximum("amount", "7d")})


@dataclass(frozen=True, slots=True)
class Shape:
    """Records as they arrive.

    Attributes:
        name: the row's name.
        entities: how many entities of each view the records of a batch name.
        records_a_message: how many records a message holds.
    """

    name: str
    entities: Mapping[str, int]
    records_a_message: int = 500


SHAPES = (
    Shape("10 entities", {"card": 10}),
    Shape("each another entity", {"card": 1_000_000}),
    Shape("two views: each another, and 10", {"card": 1_000_000, "shop": 10}),
    Shape("two views: 300 and 20", {"card": 300, "shop": 20}),
    Shape("each another entity, 100 records a message", {"card": 1_000_000}, 100),
    Shape("each another entity, a record a message", {"card": 1_000_000}, 1),
)


class ViewsGiven(LiveViewStore):
    """The live views, given."""

    def __init__(self, views: Sequence[FeatureView]) -> None:
        self._live = LiveViews(1, {id_of(view): LiveView(view, 1, is_ready=True, needed_by=()) for view in views})

    def read(self) -> LiveViews:
        """As given."""
        return self._live


class Nothing:
    """The ``Queue`` port: nothing may be sent, since every record can be added."""

    def send(self, messages: Sequence[Mapping[str, Any]], delay: Micros = 0, within: Micros | None = None) -> None:
        """Refuse messages."""
        if messages:
            raise RuntimeError(f"{len(messages)} messages were sent, delayed by {delay}, within {within}")


def records_of(shape: Shape, count: int, first: int, moments: tuple[Micros, Micros]) -> list[Record]:
    """Records with event times between two moments; the entities take turns, in an order by chance."""
    random = np.random.default_rng(first)
    times = np.sort(random.integers(*moments, count)).tolist()
    turns = {name: random.permutation(np.arange(first, first + count) % n) for name, n in shape.entities.items()}
    amounts = random.exponential(50, count).round(2).tolist()
    found = []
    for n, (at, amount) in enumerate(zip(times, amounts, strict=True)):
        entities = {name: f"{name}-{turns[name][n]:08d}" if name in turns else None for name in ("card", "shop")}
        key = f"{shape.name} {first + n}"
        values = {"id": key, "at": at, "amount": amount, "fee": 0.3, "good": amount < 200, "country": "CH", **entities}
        found.append(Record("payments", key, at, at, NOW, values))
    return found


def events_of(shape: Shape, records: Sequence[Record], messages: int) -> Iterator[dict[str, Any]]:
    """The events that the function gets for these records: at most so many messages each."""
    size = shape.records_a_message
    bodies = [m.text for at in range(0, len(records), size) for m in pack_records(records[at : at + size])]
    for at in range(0, len(bodies), messages):
        yield {"Records": [{"messageId": str(n), "body": body} for n, body in enumerate(bodies[at : at + messages])]}


def fill(views: Sequence[FeatureView], records: Sequence[Record], store: DynamoOnlineStore) -> None:
    """Give every entity of the records the same state, of records of the week before."""
    before = records_of(Shape("", {view.name[3:]: 1 for view in views}), BEFORE, 0, (NOW - 7 * DAY, NOW - HOUR))
    for view in views:
        engine = state_engine_of(view)
        packed = engine.pack(view, engine.add(view, engine.empty(view), before, NOW))
        keys = {state_key(view, entity) for r in records if (entity := view.entity_of(r.values)) is not None}
        for some in chunks(sorted(keys, key=repr)):
            store.commit([], [StateWrite(key, packed, 0) for key in some])


def measured(shape: Shape, table: StubbedTable, count: int, messages: int, signed: Any) -> StreamUnits:
    """Apply batches of records of a shape; the first batch warms up.

    Args:
        shape: the records.
        table: what counts the calls.
        count: records of a batch.
        messages: messages of an invocation, at most.
        signed: the signed client; ``None`` for boto3's.
    """
    store = DynamoOnlineStore("online", reads=signed, writes=signed)
    views = [view_of(name) for name in shape.entities]
    project, live = Project({"payments": payments}, {}, {}), ViewsGiven(views)
    task = StreamTask(project, live, store, Nothing(), Nothing(), lambda _: None)
    units = []
    for batch in range(1, BATCHES + 2):
        records = records_of(shape, count, batch * 1_000_000, (NOW - HOUR, NOW))
        fill(views, records, store)
        events = list(events_of(shape, records, messages))
        table.counts()
        used = time.process_time()
        for event in events:
            _apply(task, event)
        units.append(units_of(time.process_time() - used, events, table.counts(), count / 1_000))
    return min(units[1:], key=lambda one: one.cpu_seconds)


def _apply(task: StreamTask, event: Mapping[str, Any]) -> None:
    with redirect_stdout(io.StringIO()):  # the log
        failed = consume(event, lambda message: str(message["source"]), lambda some: task.apply(some, NOW))
    if failed["batchItemFailures"]:
        raise RuntimeError("a message failed")


def units_of(
    seconds: float, events: Sequence[Mapping[str, Any]], counts: Mapping[str, int], thousands: float
) -> StreamUnits:
    """The units of a thousand records."""
    bodies = [record["body"] for event in events for record in event["Records"]]
    return StreamUnits(
        cpu_seconds=seconds / thousands,
        invocations=len(events) / thousands,
        messages=len(bodies) / thousands,
        message_bytes=sum(map(len, bodies)) / len(bodies),
        transactions=counts["TransactWriteItems"] / thousands,
        reads=counts["BatchGetItem"] / thousands,
        marker_write_units=counts["marker_write_units"] / thousands,
        state_write_units=counts["state_write_units"] / thousands,
        read_units=counts["read_units"] / thousands,
    )


def row(shape: Shape, units: StreamUnits) -> str:
    """One row of the table."""
    dollars = dollars_a_million(units)
    cells = [
        shape.name,
        f"{units.cpu_seconds:.3f}",
        f"{units.transactions:.0f}",
        f"{units.reads:.0f}",
        f"{units.marker_write_units:,.0f} / {units.state_write_units:,.0f}",
        f"{1_000 / units.function_seconds:,.0f}",
        f"{workers_for(units, 1_000_000):.2f}",
        *(f"{dollars[name]:.3f}" for name in ("markers", "states", "reads", "function", "queue")),
        f"{sum(dollars.values()):.2f}",
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--records", type=int, default=2_000, help="records of a batch")
    arguments.add_argument("--messages", type=int, default=1_000, help="messages of an invocation, at most")
    arguments.add_argument("--boto3", action="store_true", help="through boto3 instead of the signed client")
    chosen = arguments.parse_args()
    print("For 1,000 records, and dollars for a million:\n")
    heads = (
        "records", "CPU ms a record", "transactions", "reads", "write units, markers / states", "records/s of a worker",
        "workers for a million an hour", "$ markers", "$ states", "$ reads", "$ function", "$ queue", "$ together",
    )  # fmt: skip
    print(f"| {' | '.join(heads)} |")
    print(f"|{'---|' * len(heads)}")
    with stubbed_table() as table:
        signed = None if chosen.boto3 else SignedDynamoDb()
        for shape in SHAPES:
            print(row(shape, measured(shape, table, chosen.records, chosen.messages, signed)), flush=True)


if __name__ == "__main__":
    main()
