"""Token buckets in memory, which can be down."""

from smallbox.errors import Unavailable
from smallbox.serving_ports import BucketMove
from smallbox.times import Micros


class FakeTokenBuckets:
    """The ``TokenBuckets`` port over a dict; counts the calls."""

    def __init__(self) -> None:
        self.full_at: dict[str, Micros] = {}
        self.calls = 0
        self.is_down = False

    def move(
        self, key: str, cost: Micros, now: Micros, latest: Micros, seen: Micros, within: Micros | None = None
    ) -> BucketMove:
        self.calls += 1
        if self.is_down:
            raise Unavailable("the table did not answer")
        full_at = self.full_at.get(key, 0)
        moved = max(full_at, now) + cost
        if moved > latest:
            return BucketMove(is_moved=False, full_at=full_at)
        self.full_at[key] = moved
        return BucketMove(is_moved=True, full_at=moved)
