"""Exponential backoff with full jitter."""

import random
import time
from typing import Final

_BASE_SECONDS: Final = 0.02
_LONGEST_SECONDS: Final = 1.0


def jittered(attempt: int) -> None:
    """Sleep with exponential backoff and full jitter (AWS Architecture Blog, 2015): at most 1 second."""
    time.sleep(random.uniform(0, min(_LONGEST_SECONDS, _BASE_SECONDS * 2**attempt)))  # noqa: S311 - not for secrets
