"""Waiting between attempts."""

import random
import time
from typing import Final

_BASE_SECONDS: Final = 0.02
_LONGEST_SECONDS: Final = 1.0


def jittered(attempt: int) -> None:
    """Sleep a random part of an exponentially growing time ("full jitter", AWS Architecture Blog, 2015)."""
    time.sleep(random.uniform(0, min(_LONGEST_SECONDS, _BASE_SECONDS * 2**attempt)))  # noqa: S311 - not for secrets
