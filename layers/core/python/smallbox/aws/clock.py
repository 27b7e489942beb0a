"""The wall clock."""

import time

from smallbox.times import Micros

_NANOS_PER_MICRO = 1_000


def now() -> Micros:
    """The present moment, microseconds since 1970."""
    return time.time_ns() // _NANOS_PER_MICRO
