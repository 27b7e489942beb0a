"""One way in its own process: answers the first request, then others, and prints a line of JSON.

``python measure.py WAY MODEL FOLDER REQUESTS PAUSE STARTED CORE PATHS``. PAUSE is how many seconds it sleeps before
each request, uncounted; STARTED is the monotonic clock when the process was started. It imports little before the way
does, for that counts as the way's own start: ``first_cpu`` and ``first_wall`` are seconds from the start of the process
to its first answer, ``cpu`` nanoseconds of the processor for each later request, ``resident`` megabytes after them,
``outputs`` the first scores.
"""

import importlib
import json
import os
import sys
import time
from collections.abc import Iterator
from typing import Any

WARM_UP = 200


def main(name: str, model: str, folder: str, requests: int, pause: float, started: float) -> None:
    """Load the way, call it, print what it took."""
    way = importlib.import_module(f"benchmarks.served.with_{name}")
    with open(f"{folder}/requests.jsonl", encoding="utf-8") as lines:  # noqa: PTH123 - pathlib would count as its start
        payloads = (way.request_of(json.loads(line), model) for line in lines)
        found = (_applied if hasattr(way, "PATH") else _called)(way, folder, model, payloads, requests, pause, started)
    print(json.dumps(found | {"resident": _resident()}))


def _called(
    way: Any, folder: str, model: str, payloads: Iterator[Any], requests: int, pause: float, started: float
) -> dict[str, Any]:
    """A way that is a function."""
    answer, aside = way.load(folder, model), getattr(way, "aside", lambda: 0)
    outputs, times = [way.output_of(answer(next(payloads)))], []
    first = _first(started)
    for n in range(WARM_UP + requests):
        payload = next(payloads)
        time.sleep(pause)
        begun = time.process_time_ns() - aside()
        found = answer(payload)
        times.append(time.process_time_ns() - aside() - begun)
        if n < WARM_UP:
            outputs.append(way.output_of(found))
    return first | {"cpu": times[WARM_UP:], "outputs": outputs}


def _applied(
    way: Any, folder: str, model: str, payloads: Iterator[Any], requests: int, pause: float, started: float
) -> dict[str, Any]:
    """A way that is an ASGI application."""
    import asyncio  # noqa: PLC0415 - only the processes of these ways

    from benchmarks.served.asgi import Caller, start_up  # noqa: PLC0415

    async def run() -> dict[str, Any]:
        app = way.load(folder, model)
        running, post = await start_up(app), Caller(app, way.PATH).post
        outputs, times = [way.output_of(await post(next(payloads)))], []
        first = _first(started)
        for n in range(WARM_UP + requests):
            payload = next(payloads)
            time.sleep(pause)  # noqa: ASYNC251 - nothing else runs, and it costs no time of the loop
            begun = time.process_time_ns()
            found = await post(payload)
            times.append(time.process_time_ns() - begun)
            if n < WARM_UP:
                outputs.append(way.output_of(found))
        running.cancel()
        return first | {"cpu": times[WARM_UP:], "outputs": outputs}

    return asyncio.run(run())


def _first(started: float) -> dict[str, Any]:
    return {"first_cpu": time.process_time(), "first_wall": time.monotonic() - started}


def _resident() -> float:
    with open("/proc/self/status", encoding="ascii") as lines:  # noqa: PTH123
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


if __name__ == "__main__":
    os.sched_setaffinity(0, {int(sys.argv[7])})
    sys.path[:0] = sys.argv[8].split(os.pathsep)
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), float(sys.argv[5]), float(sys.argv[6]))
