"""Where rejected records wait, with the reason, until the contract or the sender is mended."""

import json
from collections.abc import Sequence

from smallbox.ports import Blobs
from smallbox.records import Rejection
from smallbox.times import Micros, day_of

PREFIX = "quarantine"


class Quarantine:
    """Rejected records as JSON lines: ``quarantine/<source>/<day received>/<batch>.<count>.jsonl``.

    The count in the name lets a check sum a day up without opening a file. A batch written twice is one file.
    """

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    def add(self, source: str, batch: str, rejections: Sequence[Rejection], received_at: Micros) -> None:
        """Keep the rejected records of a batch; none: nothing happens."""
        if not rejections:
            return
        lines = [json.dumps({**r.as_json(), "record": r.record}, default=str) for r in rejections]
        key = f"{PREFIX}/{source}/{day_of(received_at)}/{batch}.{len(lines)}.jsonl"
        self._blobs.put(key, "\n".join(lines).encode())

    def count(self, source: str, day: str) -> int:
        """How many records of the source were rejected on that day."""
        keys = self._blobs.list(f"{PREFIX}/{source}/{day}/")
        return sum(int(key.rsplit(".", 2)[1]) for key in keys)
