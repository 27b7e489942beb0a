"""What a rate limit costs a request: CPU time of one check, and how often a warm process asks the table.

Run: ``python benchmarks/rate_limits.py [requests]``. A canned DynamoDB answers from another process, so that the CPU
time is the client's alone. The second table simulates a consumer at an even pace, its requests spread over processes.
Calls fall with leases; ``drawn`` is tokens taken from the bucket for each token spent: what leases lose.
"""

import itertools
import json
import multiprocessing
import random
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer

from botocore.credentials import ReadOnlyCredentials

from smallbox.aws.fallback_log import EmbeddedFallbackLog
from smallbox.aws.signed.dynamodb import SignedDynamoDb
from smallbox.aws.token_buckets import DynamoTokenBuckets
from smallbox.define import RateLimit, Serve
from smallbox.define.project import load
from smallbox.errors import RateLimited
from smallbox.serving.rate_limits import RateLimiter
from smallbox.serving_ports import BucketMove
from smallbox.times import DAY, SECOND, Micros

REQUESTS = 3_000
MODEL = load().model("late_arrival")
ANSWER = json.dumps({"Attributes": {"full_at": {"N": str(DAY)}}}).encode()


class _Canned(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(ANSWER), ANSWER))

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _serve(taken: socket.socket) -> None:
    server = HTTPServer(("127.0.0.1", 0), _Canned, bind_and_activate=False)
    server.socket = taken
    server.serve_forever()


@contextmanager
def _table() -> Iterator[str]:
    """The endpoint of a canned DynamoDB."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = multiprocessing.get_context("fork").Process(target=_serve, args=(taken,), daemon=True)
        process.start()
        try:
            yield f"http://127.0.0.1:{taken.getsockname()[1]}"
        finally:
            process.terminate()


class _Held:
    """Credentials that are there."""

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        return ReadOnlyCredentials("key", "secret", None)


def _held(*, anew: bool) -> _Held:
    del anew
    return _Held()


class _Memory:
    """Token buckets in memory; counts calls and tokens."""

    def __init__(self) -> None:
        self.full_at: Micros = 0
        self.calls, self.drawn = 0, 0

    def move(
        self, key: str, cost: Micros, now: Micros, latest: Micros, seen: Micros, within: Micros | None = None
    ) -> BucketMove:
        del key, seen, within
        self.calls += 1
        moved = max(self.full_at, now) + cost
        if moved > latest:
            return BucketMove(is_moved=False, full_at=self.full_at)
        self.full_at, self.drawn = moved, self.drawn + cost
        return BucketMove(is_moved=True, full_at=moved)


def _cpu(check: Callable[[int], None], requests: int) -> float:
    """Microseconds of CPU of one check."""
    check(0)
    began = time.process_time_ns()
    for n in range(1, requests + 1):
        check(n)
    return (time.process_time_ns() - began) / requests / 1_000


def _costs(requests: int) -> None:
    unlimited, wide = MODEL, replace(MODEL, serve=Serve(rate_limit=RateLimit(rate=1e6, burst=10**9)))
    leased = RateLimiter(_Memory(), EmbeddedFallbackLog())
    with _table() as endpoint:
        dynamodb = SignedDynamoDb(endpoint, "eu-central-1", credentials=_held)
        asking = RateLimiter(DynamoTokenBuckets("limits", dynamodb), EmbeddedFallbackLog())
        rows = {
            "no limit declared": _cpu(lambda n: leased.admit(unlimited, "shop", 1, DAY + n), requests),
            "tokens leased": _cpu(lambda n: leased.admit(wide, "shop", 1, DAY + n), requests),
            "the table asked": _cpu(lambda n: asking.admit(wide, f"shop {n}", 1, DAY + n), requests),
        }
    print("CPU of one check, us")
    for name, cost in rows.items():
        print(f"  {name:20} {cost:8.1f}")


def _spread(pace: int, processes: int, seconds: int = 60) -> tuple[float, float, int]:
    """Calls a request, tokens drawn for each spent, and refusals; the pace is half of the rate."""
    limit = RateLimit(rate=2 * pace, burst=10 * pace)
    buckets, chosen = _Memory(), random.Random(0)  # noqa: S311 - not for secrets
    limiters = [RateLimiter(buckets, EmbeddedFallbackLog()) for _ in range(processes)]
    model, refused, spent = replace(MODEL, serve=Serve(rate_limit=limit)), 0, 0
    for n in range(pace * seconds):
        try:
            chosen.choice(limiters).admit(model, "shop", 1, DAY + n * SECOND // pace)
            spent += 1
        except RateLimited:
            refused += 1
    return buckets.calls / (pace * seconds), buckets.drawn * limit.rate / SECOND / spent, refused


def main() -> None:
    """Print both tables."""
    _costs(int(sys.argv[1]) if len(sys.argv) > 1 else REQUESTS)
    print("requests/s  processes  calls/request  drawn/spent  refused")
    for pace, processes in itertools.product((1, 10, 100, 1000), (1, 4, 16)):
        calls, drawn, refused = _spread(pace, processes)
        print(f"{pace:10} {processes:10} {calls:14.3f} {drawn:12.2f} {refused:8}")


if __name__ == "__main__":
    main()
