"""What share of a request each step of Smallbox takes: ``python steps.py MODEL FOLDER SECONDS PAUSE CORE PATHS``.

The kernel interrupts the process after each few milliseconds of its processor's time. The innermost frame whose file
belongs to a step tells the step; frames of the standard library, botocore and our connection belong to their caller's.
So nothing is slowed down by measuring it, as a profiler would. Prints a line of JSON: by step how often it was met.
"""

import json
import os
import signal
import sys
import time
from collections import Counter
from types import FrameType
from typing import Any, Final

WARM_UP: Final = 200

STEPS: Final = (
    ("/aws/queue", "send the log"),
    ("/serving/log_sender", "send the log"),
    ("/aws/online", "read the states"),
    ("/features/online/recent", "read the states"),
    ("/registry/scorer", "run the model"),
    ("/registry/", "read the routing"),
    ("/features/inputs/", "input matrix"),
    ("/serving/vectors", "input matrix"),
    ("/features/", "states to features"),
    ("/serving/requests", "check the request"),
    ("smallbox/define/", "check the request"),
    ("/serving/logged_", "log rows"),
    ("smallbox/messages/", "log rows"),
    ("smallbox/objectives/", "answer"),
    ("/serving/predict", "answer"),
    ("/serving/answering", "answer"),
    ("/serving/remembered", "read the routing"),
    ("/logging/", "log line"),
    ("/aws/logs", "log line"),
    ("event_handler", "route, body and JSON"),
    ("/aws/api", "route, body and JSON"),
)
"""By part of a file's path, the step; the first that fits counts."""


class Sampler:
    """Counts the steps in which the process was met."""

    def __init__(self) -> None:
        self.met: Counter[str] = Counter()
        self.is_counting = False
        self._known: dict[str, str | None] = {}

    def __call__(self, _: int, frame: FrameType | None) -> None:
        """The handler of the signal."""
        if self.is_counting:
            self.met[self._step(frame)] += 1

    def _step(self, frame: FrameType | None) -> str:
        while frame is not None:
            file = frame.f_code.co_filename
            if file not in self._known:
                self._known[file] = next((step for part, step in STEPS if part in file), None)
            if (step := self._known[file]) is not None:
                return step
            frame = frame.f_back
        return "other"


def main(model: str, folder: str, seconds: float, pause: float) -> None:
    """Answer requests for some seconds of the processor, and print what was met."""
    from benchmarks.served import with_smallbox as way  # noqa: PLC0415 - found where the arguments say

    answer, sampler = way.load(folder, model), Sampler()
    with open(f"{folder}/requests.jsonl", encoding="utf-8") as lines:  # noqa: PTH123 - as measure.py does
        events: list[Any] = [way.request_of(json.loads(line), model) for line in lines]
    for event in events[:WARM_UP]:
        answer(event)
    signal.signal(signal.SIGPROF, sampler)
    signal.setitimer(signal.ITIMER_PROF, 0.001, 0.001)
    begun, sampler.is_counting, n = time.process_time(), True, 0
    while time.process_time() - begun < seconds:
        time.sleep(pause)
        answer(events[n % len(events)])
        n += 1
    signal.setitimer(signal.ITIMER_PROF, 0)
    print(json.dumps(sampler.met))


if __name__ == "__main__":
    os.sched_setaffinity(0, {int(sys.argv[5])})
    sys.path[:0] = sys.argv[6].split(os.pathsep)
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]), float(sys.argv[4]))
