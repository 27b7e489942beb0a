"""How often to ask again while waiting."""

import time
from collections.abc import Iterator
from typing import Final

_SHORTEST_PAUSE: Final = 0.02
_LONGEST_PAUSE: Final = 0.25
_LONG_WAIT: Final = 60
_LATE_PAUSE: Final = 2
"""Polling pause after a long wait: each poll of AWS counts against its rate limits."""
_PAUSE_SHARE: Final = 0.1
"""Polling pause as a share of the time waited so far: polling slows down the work that is waited for."""


def polls(seconds: float) -> Iterator[None]:
    """Yield once per poll: immediately, then after growing pauses, until the timeout."""
    began = time.monotonic()
    yield
    while (waited := time.monotonic() - began) < seconds:
        longest = _LONGEST_PAUSE if waited < _LONG_WAIT else _LATE_PAUSE
        time.sleep(min(max(_PAUSE_SHARE * waited, _SHORTEST_PAUSE), longest))
        yield
