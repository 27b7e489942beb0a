"""Where rejected records wait, with the reason, until the contract or the sender is mended."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from smallbox.ports import Blobs
from smallbox.records import Rejection
from smallbox.times import Micros, day_of

QUARANTINE_PREFIX = "quarantine"


@dataclass(frozen=True, slots=True)
class RejectedBatch:
    """Rejected records that came together.

    Attributes:
        key: where they lie.
        source: whose contract they broke.
        day: the day on which they were received.
        count: how many there are.
    """

    key: str
    source: str
    day: str
    count: int

    @classmethod
    def of(cls, key: str) -> "RejectedBatch":
        """The batch of a key.

        >>> RejectedBatch.of("quarantine/weather/2013-03-01/request.2.jsonl").count
        2
        """
        _, source, day, name = key.split("/", 3)
        return cls(key, source, day, int(name.rsplit(".", 2)[1]))


class Quarantine:
    """Rejected records as JSON lines, personal values included.

    A batch is ``quarantine/<source>/<day received>/<batch>.<count>.jsonl``.
    The count in the name lets a check sum a day up without opening a file. A batch written twice is one file.
    """

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    def add(self, source: str, batch: str, rejections: Sequence[Rejection], received_at: Micros) -> None:
        """Keep the rejected records of a batch; none: nothing happens."""
        if not rejections:
            return
        lines = [_line(rejection) for rejection in rejections]
        key = f"{QUARANTINE_PREFIX}/{source}/{day_of(received_at)}/{batch}.{len(lines)}.jsonl"
        self._blobs.put(key, "\n".join(lines).encode())

    def count(self, source: str, day: str) -> int:
        """How many records of the source were rejected on that day."""
        return sum(batch.count for batch in self.batches(source, day))

    def batches(self, source: str = "", day: str = "") -> Sequence[RejectedBatch]:
        """The batches that wait, of all sources or one, of all days or one."""
        parts = [QUARANTINE_PREFIX, *([source] if source else []), *([day] if source and day else [])]
        return [RejectedBatch.of(key) for key in self._blobs.list("/".join(parts) + "/")]

    def read(self, batch: RejectedBatch) -> Sequence[Mapping[str, Any]]:
        """The rejected records of a batch, each with its reason: index, field, rule, value, message, record.

        Batches of before there was ``value`` have none.
        """
        return [json.loads(line) for line in self._blobs.get(batch.key).splitlines()]

    def replay(self, batch: RejectedBatch, send: Callable[[Sequence[str]], Mapping[str, Any]]) -> Mapping[str, Any]:
        """Send the records of a batch again, then let it go; what is rejected again waits in a batch of its own.

        A crash in between leaves the batch: replaying it again brings in nothing twice, since a record that says the
        same counts once.

        Args:
            batch: the batch.
            send: sends records, each a JSON text, as their source's; answers ``accepted`` and ``rejected``.
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
    """The value with numbers that JSON lacks as texts, so that a replay can send it: Python reads 1e999 as infinity."""
    if isinstance(value, dict):
        return {name: _finite(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_finite(inner) for inner in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
