"""Quarantine: stores rejected records with the reason, until the contract or the sender is corrected."""

import json
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from smallbox.ports import Blobs
from smallbox.records import Rejection
from smallbox.times import Micros, day_of

QUARANTINE_PREFIX = "quarantine"


@dataclass(frozen=True, slots=True)
class RejectedBatch:
    """A file of rejected records that were received together.

    Attributes:
        key: the file's key.
        source: the name of their source.
        day: the UTC day on which they were received.
        count: the number of records.
    """

    key: str
    source: str
    day: str
    count: int

    @classmethod
    def of(cls, key: str) -> "RejectedBatch":
        """Parse a key.

        >>> RejectedBatch.of("quarantine/weather/2013-03-01/request.2.jsonl").count
        2
        """
        _, source, day, name = key.split("/", 3)
        return cls(key, source, day, int(name.rsplit(".", 2)[1]))


class Quarantine:
    """Rejected records as JSON Lines, including personal values.

    A batch is ``quarantine/<source>/<day received>/<batch>.<count>.jsonl``. The count in the name allows counting a
    day's records without opening a file. Writing a batch is idempotent.
    """

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    def add(self, source: str, batch: str, rejections: Sequence[Rejection], received_at: Micros) -> None:
        """Store the rejected records of a batch; without any, no file is written."""
        if not rejections:
            return
        lines = [_line(rejection) for rejection in rejections]
        key = f"{QUARANTINE_PREFIX}/{source}/{day_of(received_at)}/{batch}.{len(lines)}.jsonl"
        self._blobs.put(key, "\n".join(lines).encode())

    def count(self, source: str, day: str) -> int:
        """The number of the source's records that were rejected on that day."""
        return sum(batch.count for batch in self.batches(source, day))

    def rules(self, source: str, day: str, batches: int = 20) -> Mapping[str, int]:
        """How many of the day's rejected records broke which rule of which field, the most frequent first.

        Args:
            source: the name of the source.
            day: the UTC day on which they were received.
            batches: how many files are read at most.

        Returns:
            Counts by field and rule, like ``{"weight: maximum": 12}``.
        """
        read = (self.read(batch) for batch in self.batches(source, day)[:batches])
        found = Counter(f"{one['field']}: {one['rule']}" for rejected in read for one in rejected)
        return dict(found.most_common())

    def batches(self, source: str = "", day: str = "") -> Sequence[RejectedBatch]:
        """The stored batches: of all sources or one, of all days or one."""
        parts = [QUARANTINE_PREFIX, *([source] if source else []), *([day] if source and day else [])]
        return [RejectedBatch.of(key) for key in self._blobs.list("/".join(parts) + "/")]

    def read(self, batch: RejectedBatch) -> Sequence[Mapping[str, Any]]:
        """The rejected records of a batch: index, field, rule, value, message and record of each.

        Batches from before ``value`` was introduced lack it.
        """
        return [json.loads(line) for line in self._blobs.get(batch.key).splitlines()]

    def replay(self, batch: RejectedBatch, send: Callable[[Sequence[str]], Mapping[str, Any]]) -> Mapping[str, Any]:
        """Send the records of a batch again, then delete it; records that are rejected again get a new batch.

        After a crash in between, replay the batch again: it is idempotent, because equal records count once.

        Args:
            batch: the batch.
            send: sends records, each a JSON text, to their source; returns ``accepted`` and ``rejected``.
        """
        answer = send([json.dumps(rejection["record"]) for rejection in self.read(batch)])
        self._blobs.delete(batch.key)
        return answer


def _line(rejection: Rejection) -> str:
    try:
        return json.dumps({**rejection.as_json(), "record": rejection.record}, default=str, allow_nan=False)
    except ValueError:
        return json.dumps({**rejection.as_json(), "record": _finite(rejection.record)}, default=str)


def _finite(value: Any) -> Any:
    """Replace infinity and NaN by texts, because JSON has neither (Python parses 1e999 as infinity)."""
    if isinstance(value, dict):
        return {name: _finite(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_finite(inner) for inner in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
