"""What a record costs the stream function: processor time, transactions, and dollars for a million records an hour.

Run: ``python benchmarks/streams.py [--records 10000]``. A call applies 1,000 records, as ten messages of SQS bring
them. DynamoDB is in memory, below the transport of each client, and its own time does not count. What counts: applying
the records and building, signing and parsing requests, through boto3 and through our signed connection. Shapes: many
records of few entities, another entity for each record, and two views of both. Dollars are list prices of us-east-1 in
January 2025, without free tiers; storage and the lake are left out.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from http.client import HTTPMessage
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final
from unittest.mock import patch

import boto3
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

ROOT: Final = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
os.environ |= {"AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "nothing"}

from smallbox.aws.online import DynamoOnlineStore  # noqa: E402 - a program finds its folder first
from smallbox.aws.signed.connection import HttpAnswer, KeptConnection  # noqa: E402
from smallbox.aws.signed.dynamodb import SignedDynamoDb  # noqa: E402
from smallbox.define import FeatureView, Source, count, mean, number, text, timestamp  # noqa: E402
from smallbox.define.attributes import View  # noqa: E402
from smallbox.features.online.apply import apply_records  # noqa: E402
from smallbox.records import Record  # noqa: E402
from smallbox.times import HOUR, SECOND, Micros  # noqa: E402

NOW: Final[Micros] = 500_000 * HOUR
CALL: Final = 1_000

visits = Source("visits", key="id", time="at", known_after="0s", fields={
    "id": text(), "at": timestamp(), "shop": text(), "customer": text(), "amount": number()})  # fmt: skip


def _view(name: str) -> FeatureView:
    aggregates = {f"{name}_{window}": count(window) for window in ("1h", "24h", "7d")}
    return FeatureView(name, entity=name, source=visits, features={**aggregates, f"{name}_mean": mean("amount", "7d")})


class MemoryTable:
    """DynamoDB below the transport: answers the three calls of the stream, and counts what it was asked."""

    def __init__(self) -> None:
        self.items: dict[str, Any] = {}
        self.transactions = self.written = self.units = 0
        self.seconds = 0.0

    def answer(self, target: str, body: bytes) -> bytes:
        """The body of an answer; the time that it takes does not count."""
        began = time.process_time()
        request = json.loads(body)
        found = self._read(request) if target.endswith("BatchGetItem") else self._write(request)
        answered = json.dumps(found).encode()
        self.seconds += time.process_time() - began
        return answered

    def _read(self, request: Any) -> Any:
        keys = [key["pk"]["S"] for key in request["RequestItems"]["online"]["Keys"]]
        return {"Responses": {"online": [self.items[key] for key in keys if key in self.items]}, "UnprocessedKeys": {}}

    def _write(self, request: Any) -> Any:
        self.transactions += 1
        for one in request["TransactItems"]:
            item = one["Put"]["Item"]
            self.items[item["pk"]["S"]] = item
            self.written += 1
            # a transactional write costs two units for each begun KiB
            self.units += 2 * -(-(len(item.get("packed", {"B": ""})["B"]) * 3 // 4 + 100) // 1024)
        return {}


@contextmanager
def through_signed(table: MemoryTable) -> Iterator[DynamoOnlineStore]:
    """The store over our signed connection."""

    def send(_: Any, *parts: Any) -> HttpAnswer:
        body, headers = parts[2], parts[3]
        return HttpAnswer(200, HTTPMessage(), table.answer(headers["x-amz-target"], body))

    with patch.object(KeptConnection, "send", send):
        signed = SignedDynamoDb("https://dynamodb.us-east-1.amazonaws.com", "us-east-1")
        yield DynamoOnlineStore("online", reads=signed, writes=signed)


@contextmanager
def through_boto3(table: MemoryTable) -> Iterator[DynamoOnlineStore]:
    """The store over boto3's client."""
    make: Any = boto3.client
    client = make("dynamodb", region_name="us-east-1")

    def send(request: Any, **_: Any) -> Any:
        target = request.headers["X-Amz-Target"]
        raw = SimpleNamespace(stream=lambda: iter([table.answer(target.decode(), request.body)]))
        return AWSResponse(request.url, 200, HTTPHeaders(), raw)

    client.meta.events.register("before-send.dynamodb", send)
    yield DynamoOnlineStore("online", client)


def _records(number_of: int, shops: int, customers: int) -> list[Record]:
    return [
        Record("visits", f"v{n}", NOW + n * SECOND // 100, NOW + n * SECOND // 100, NOW, {
            "id": f"v{n}", "at": NOW + n * SECOND // 100, "shop": f"s{n * 7919 % shops}",
            "customer": f"c{n * 104729 % customers}", "amount": float(n % 97)})
        for n in range(number_of)
    ]  # fmt: skip


Way = Callable[[MemoryTable], AbstractContextManager[DynamoOnlineStore]]

SHAPES: Final[Mapping[str, tuple[tuple[str, ...], int, int]]] = {
    "20 shops, one view": (("shop",), 20, 1),
    "another customer each, one view": (("customer",), 1, 10**9),
    "20 shops and a customer each, two views": (("shop", "customer"), 20, 10**9),
}


def measure(way: Way, views: Sequence[View], records: Sequence[Record]) -> dict[str, float]:
    """Apply the records in calls, and what that cost for a record."""
    table = MemoryTable()
    with way(table) as store:
        began = time.process_time()
        for first in range(0, len(records), CALL):
            some = records[first : first + CALL]
            apply_records(visits, views, some, store, now=some[-1].known_at, pause=lambda _: None)
        seconds, rows = time.process_time() - began - table.seconds, len(records)
    return {
        "us": seconds / rows * 1e6, "transactions": table.transactions / rows * 1_000, "items": table.written / rows,
        "units": table.units / rows,
    }  # fmt: skip


def dollars_an_hour(us: float, units: float, records: float = 1e6) -> float:
    """What applying a million records costs: Lambda on arm64, SQS and DynamoDB on demand.

    Args:
        us: processor microseconds a record, in a function of one virtual processor (1,769 MB).
        units: write units a record, transactional ones counted twice.
        records: how many.
    """
    lambda_seconds = us / 1e6 * records
    gigabytes, a_gigabyte_second = 1.769, 0.0000133334
    messages = 3 * records / 100  # sent, received and deleted
    return lambda_seconds * gigabytes * a_gigabyte_second + messages * 0.4e-6 + units * records * 0.625e-6


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=10_000)
    rows = parser.parse_args().records
    print(
        "| shape | client | us a record | transactions for 1,000 | items a record | write units | dollars a million |"
    )
    print("|---|---|---|---|---|---|---|")
    for shape, (entities, shops, customers) in SHAPES.items():
        views, records = [_view(one) for one in entities], _records(rows, shops, customers)
        for client, way in (("boto3", through_boto3), ("signed", through_signed)):
            found = measure(way, views, records)
            cost = dollars_an_hour(found["us"], found["units"])
            print(
                f"| {shape} | {client} | {found['us']:.0f} | {found['transactions']:.1f} | {found['items']:.2f} | "
                f"{found['units']:.1f} | {cost:.2f} |"
            )


if __name__ == "__main__":
    main()
