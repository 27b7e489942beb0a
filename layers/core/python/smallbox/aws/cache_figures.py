"""The hit rates of what a process remembers, as log lines in CloudWatch's embedded metric format."""

from collections.abc import Mapping
from typing import Final, Protocol

from smallbox.aws.fallback_log import embedded
from smallbox.aws.logs import log_line
from smallbox.times import MINUTE, Micros

EVERY: Final[Micros] = MINUTE
"""How often a process publishes its figures, if it has requests."""


class Counted(Protocol):
    """A cache that counts; see :class:`~smallbox.features.online.recent.StateCache`."""

    asked: int
    remembered: int


class CacheFigures:
    """Publishes how often each cache was asked, and how often it remembered; ``<Name>Asked``, ``<Name>Remembered``.

    A hit rate is the sum of the second over the sum of the first.

    Args:
        caches: by the name that the metrics begin with.
    """

    def __init__(self, caches: Mapping[str, Counted]) -> None:
        self._caches = caches
        self._published: dict[str, int] = {}
        self._next: Micros | None = None

    def publish(self, now: Micros) -> None:
        """Publish the counts since the last time, at most once a minute."""
        if self._next is None:
            self._next = now + EVERY
        if now < self._next:
            return
        self._next = now + EVERY
        counts = self._counts()
        since = {name: float(count - self._published.get(name, 0)) for name, count in counts.items()}
        self._published = counts
        log_line("what was remembered", **embedded({name: count for name, count in since.items() if count}))

    def _counts(self) -> dict[str, int]:
        asked = {f"{name}Asked": cache.asked for name, cache in self._caches.items()}
        return asked | {f"{name}Remembered": cache.remembered for name, cache in self._caches.items()}
