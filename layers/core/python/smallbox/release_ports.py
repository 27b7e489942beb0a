"""Ports of releases: counters of canaries, and what people are told; see :mod:`smallbox.ports`."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from smallbox.times import Micros


class CanaryCounters(Protocol):
    """Counters of both arms of canaries, by minute."""

    def add(self, model: str, challenger: int, minute: Micros, counters: Mapping[str, int]) -> None:
        """Add to the counters of a minute, atomically for each counter.

        Args:
            model: the model's name.
            challenger: the challenger's version.
            minute: its first moment, microseconds.
            counters: by name, how much each grows.

        Raises:
            Unavailable: when the counters did not all grow.
        """

    def read(self, model: str, challenger: int, since: Micros) -> Sequence[Mapping[str, int]]:
        """The counters of each minute that begins at a moment or later, oldest first; minutes without are left out."""


class Notices(Protocol):
    """Tells people something in words: by e-mail, or where else they subscribed."""

    def tell(self, subject: str, text: str) -> None:
        """Send a message; the subject is cut to 100 characters.

        Raises:
            Unavailable: when it was not accepted.
        """
