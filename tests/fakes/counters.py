"""Counters of canaries in memory."""

from collections import Counter
from collections.abc import Mapping, Sequence

from smallbox.times import Micros


class FakeCanaryCounters:
    """The ``CanaryCounters`` port over a dict."""

    def __init__(self) -> None:
        self._minutes: dict[tuple[str, int, Micros], Counter[str]] = {}

    def add(self, model: str, challenger: int, minute: Micros, counters: Mapping[str, int]) -> None:
        self._minutes.setdefault((model, challenger, minute), Counter()).update(counters)

    def read(self, model: str, challenger: int, since: Micros) -> Sequence[Mapping[str, int]]:
        own = sorted(at for at in self._minutes if at[:2] == (model, challenger) and at[2] >= since)
        return [dict(self._minutes[at]) for at in own]
