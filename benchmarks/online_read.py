"""From a parsed request to its feature vector: our signed reads beside boto3, and beside what is hardly avoidable.

Run: ``python benchmarks/online_read.py [requests]``. Ratios come first: 1.0 is Smallbox. Both read the same states
through ``online_vectors``, of entities with thousands of records in windows of 7 and of 90 days. The last row sends
the same question unsigned with ``http.client`` and parses the JSON, no more. A canned DynamoDB answers from another
process, so that the processor's time is the client's alone; the network is this machine's. The ways take turns, so that
a busy machine is busy for all of them.
"""

import base64
import http.client
import json
import multiprocessing
import os
import socket
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle, islice
from typing import Any

import numpy as np

from smallbox.aws import clients
from smallbox.aws.online import DynamoOnlineStore
from smallbox.aws.signed.dynamodb import SignedDynamoDb
from smallbox.define import (
    FeatureView,
    Gate,
    Model,
    Release,
    Retrain,
    Source,
    boolean,
    count,
    label,
    last,
    maximum,
    mean,
    minimum,
    number,
    rate,
    text,
    timestamp,
    total,
)  # fmt: skip
from smallbox.define.attributes import View
from smallbox.features.online.recent import StateCache
from smallbox.features.online.states import version_of
from smallbox.features.state_engines import state_engine_of
from smallbox.ports import StateReader
from smallbox.records import Record
from smallbox.serving.vectors import Vectors, online_vectors
from smallbox.times import DAY, HOUR, MINUTE, Micros, Moment

REQUESTS = 3_000
TURN = 50
NOW: Micros = 20_000 * DAY + 13 * HOUR + 17 * MINUTE
RECORDS = {"7d": (7 * DAY, 2_000), "90d": (90 * DAY, 20_000)}
ENTITIES = tuple(f"party_{n}" for n in range(5))
TOKEN = "t" * 900  # about as long as Lambda's
Times = tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]

fields = {"id": text(), "at": timestamp(), "amount": number(), "good": boolean()} | {e: text() for e in ENTITIES}
payments = Source("payments", key="id", time="at", known_after="0s", fields=fields)


def make_view(entity: str, window: str) -> FeatureView:
    """One of each kind of aggregate over the window, and a short count."""
    features = {
        "recent": count("1h"), "count": count(window), "total": total("amount", window), "mean": mean("amount", window),
        "rate": rate("good", window), "low": minimum("amount", window), "high": maximum("amount", window),
        "last": last("amount", window),
    }  # fmt: skip
    named = {f"{entity}_{name}": aggregate for name, aggregate in features.items()}
    return FeatureView(f"by_{entity}", entity, payments, named)


def make_model(entities: int) -> Model:
    """A model whose request names that many entities, by turns of 7 and of 90 days."""
    views = tuple(make_view(e, w) for e, w in islice(zip(ENTITIES, cycle(RECORDS), strict=False), entities))
    good = label(payments, on="id", value="good", within="1d")
    return Model(
        "payment", request=payments, inputs=("amount",), views=views, label=good, estimator=lambda _: None,
        gate=Gate(), release=Release(), retrain=Retrain(),
    )  # fmt: skip


def make_state(view: View) -> bytes:
    """The packed state of an entity after its records."""
    window: Any = list(view.features.values())[1]
    length, records = RECORDS[window.window]
    rng = np.random.default_rng(7)
    at = np.sort(NOW - rng.integers(0, length, records))
    amounts, good = rng.exponential(50, records).round(2), rng.random(records) < 0.9
    rows = [
        Record("payments", str(n), int(t), int(t), int(t), {"amount": float(a), "good": bool(g)})
        for n, (t, a, g) in enumerate(zip(at, amounts, good, strict=True))
    ]
    engine = state_engine_of(view)
    return engine.pack(view, engine.add(view, engine.empty(view), rows, NOW))


def answer_of(states: dict[str, bytes]) -> bytes:
    """The HTTP answer that DynamoDB gives for these states."""
    items = [
        {"pk": {"S": key}, "packed": {"B": base64.b64encode(packed).decode()}, "version": {"N": "2000"}}
        for key, packed in states.items()
    ]
    body = json.dumps({"Responses": {"online": items}, "UnprocessedKeys": {}}, separators=(",", ":")).encode()
    headers = {
        "Server": "Server", "Date": "Sat, 01 Aug 2026 10:00:00 GMT", "Content-Type": "application/x-amz-json-1.0",
        "Content-Length": len(body), "Connection": "keep-alive", "x-amzn-RequestId": "R" * 52,
        "x-amz-crc32": zlib.crc32(body),
    }  # fmt: skip
    return ("HTTP/1.1 200 OK\r\n" + "".join(f"{n}: {v}\r\n" for n, v in headers.items()) + "\r\n").encode() + body


def serve(answer: bytes, opened: Any) -> None:
    """Give every request that answer, on any number of connections, until killed."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        opened.send(server.getsockname()[1])
        while True:
            connection, _ = server.accept()
            threading.Thread(target=_answer_all, args=(connection, answer), daemon=True).start()


def _answer_all(connection: socket.socket, answer: bytes) -> None:
    with connection, connection.makefile("rb") as lines:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while (length := _request_length(lines)) is not None:
            lines.read(length)
            connection.sendall(answer)


def _request_length(lines: Any) -> int | None:
    length = None
    while (line := lines.readline().lower()) not in (b"\r\n", b""):
        if line.startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    return length


@contextmanager
def serving(answer: bytes) -> Iterator[int]:
    """The canned DynamoDB in a process of its own, and AWS's settings for it; yields its port."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=serve, args=(answer, theirs), daemon=True)
    process.start()
    port = ours.recv()
    os.environ |= {
        "AWS_ENDPOINT_URL_DYNAMODB": f"http://127.0.0.1:{port}", "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "s" * 40, "AWS_SESSION_TOKEN": TOKEN,
    }  # fmt: skip
    try:
        yield port
    finally:
        process.kill()


def bare_request(port: int, keys: list[str]) -> Callable[[], object]:
    """The same question without a signature, its answer parsed and no more."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    request = {"online": {"Keys": [{"pk": {"S": key}} for key in keys], "ConsistentRead": True}}
    headers = {"x-amz-target": "DynamoDB_20120810.BatchGetItem", "content-type": "application/x-amz-json-1.0"}

    def ask() -> object:
        connection.request("POST", "/", json.dumps({"RequestItems": request}).encode(), headers)
        return json.loads(connection.getresponse().read())

    return ask


def ways(model: Model, states: dict[str, bytes], port: int) -> dict[str, Callable[[], object]]:
    """What is compared, by the name of its row."""
    instance: dict[str, Any] = {"id": "p", "amount": 12.5} | dict.fromkeys(ENTITIES, "e")
    moment = Moment(NOW)
    clients.client.cache_clear()
    boto = clients.client("dynamodb")
    signed = DynamoOnlineStore("online", boto, SignedDynamoDb(boto.meta.endpoint_url, boto.meta.region_name))
    remembered = StateCache(signed).at(NOW)

    def vectors(store: StateReader) -> Vectors:
        return online_vectors(model, [instance], store, moment)

    expected = vectors(DynamoOnlineStore("online", boto)).inputs.numeric
    np.testing.assert_array_equal(vectors(signed).inputs.numeric, expected)
    if np.isnan(expected).any():
        raise RuntimeError("a feature is missing: the states do not hold what is measured")
    return {
        "smallbox": lambda: vectors(signed),
        "of it, states to features": lambda: [
            state_engine_of(view).numbers(view, state_engine_of(view).unpack(view, packed), NOW)
            for view, packed in zip(model.views, states.values(), strict=True)
        ],
        "smallbox, remembered states": lambda: vectors(remembered),
        "boto3": lambda: vectors(DynamoOnlineStore("online", boto)),
        "bare request and JSON": bare_request(port, list(states)),
    }


def measured(compared: dict[str, Callable[[], object]], requests: int) -> dict[str, Times]:
    """Milliseconds of each request, by its way: of this thread's processor time, and of the wall's."""
    times = np.empty((len(compared), 2, requests))
    for first in range(-TURN, requests, TURN):  # the first turn warms up; what it measures is overwritten by the last
        for way, work in enumerate(compared.values()):
            for n in range(first, min(first + TURN, requests)):
                wall, processor = time.perf_counter_ns(), time.thread_time_ns()
                work()
                times[way, :, n] = time.thread_time_ns() - processor, time.perf_counter_ns() - wall
    return {name: (both[0] / 1e6, both[1] / 1e6) for name, both in zip(compared, times, strict=True)}


def main(requests: int) -> None:
    """Print a table for two and for five entities."""
    for entities in (2, 5):
        model = make_model(entities)
        states = {f"s#{view.name}#{version_of(view)}#e": make_state(view) for view in model.views}
        with serving(answer_of(states)) as port:
            taken = measured(ways(model, states, port), requests)
        sizes = ", ".join(f"{len(packed):,}" for packed in states.values())
        print(f"\n{requests:,} requests of {entities} entities; states of {sizes} bytes\n")
        print("| way | ratio | CPU p50 / p95 / p99, ms | wall p50 / p95 / p99, ms |\n|---|---|---|---|")
        ours = np.median(taken["smallbox"][0])
        for name, both in taken.items():
            cells = [" / ".join(f"{p:.2f}" for p in np.percentile(times, (50, 95, 99))) for times in both]
            print(f"| {name} | {np.median(both[0]) / ours:.2f} | {cells[0]} | {cells[1]} |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else REQUESTS)
