"""What the label join stores of a model in the metrics table, for the stages that honour it.

Partition ``labels#<model>``: the document of each day under ``day#<day>``, the breaker's state under ``breaker``, and
the join's progress under ``progress``.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, TypedDict, cast

from smallbox.ports import Documents
from smallbox.times import DAY, Micros, day_of, parse_day, parse_moment

TripKind = Literal["labels_stalled", "labels_jumped"]

_BREAKER: Final = "breaker"
_PROGRESS: Final = "progress"


class Trip(TypedDict):
    """Why the breaker opened.

    Attributes:
        kind: ``labels_stalled``: far fewer labels than expected; ``labels_jumped``: they say something else.
        sentence: what was seen, with its numbers.
        seen: the number of labels, or their mean.
        usual: what was expected of it.
        spread: the robust spread of the days.
    """

    kind: TripKind
    sentence: str
    seen: float
    usual: float
    spread: float


class BreakerDocument(TypedDict):
    """The state of the label breaker after a day.

    Attributes:
        day: the day, ``YYYY-MM-DD``.
        open: whether trainings and decisions about quality have to wait.
        why: the reason; or why it cannot judge yet; else empty.
        trips: what was found.
    """

    day: str
    open: bool
    why: str
    trips: list[Trip]


class LabelFigures:
    """The stored figures of labels.

    Args:
        metrics: the metrics table.
        model: the model's name.
    """

    def __init__(self, metrics: Documents, model: str) -> None:
        self._metrics = metrics
        self._partition = f"labels#{model}"

    def days(self, before: Micros) -> Sequence[Mapping[str, Any]]:
        """The documents of the days before a moment, in order: those of its month and the two before it.

        However long the history, three queries.
        """
        until, months = day_of(before), list[str]()
        for _ in range(3):
            months.append(day_of(before)[:7])
            before = parse_day(f"{months[-1]}-01") - DAY
        found = (one for month in reversed(months) for one in self._metrics.query(self._partition, f"day#{month}"))
        return [one for one in found if one["day"] < until]

    def day(self, day: str) -> Mapping[str, Any] | None:
        """The document of one day."""
        return self._metrics.get(self._partition, f"day#{day}")

    def keep(self, day: str, document: Mapping[str, Any]) -> None:
        """Store the document of a day; joining the day again replaces it."""
        self._metrics.put(self._partition, f"day#{day}", document)

    def breaker(self) -> BreakerDocument | None:
        """The breaker's state after the latest day; ``None`` before the first join."""
        return cast("BreakerDocument | None", self._metrics.get(self._partition, _BREAKER))

    def set_breaker(self, state: BreakerDocument) -> None:
        """Store the state, unless that of a later day is there."""
        before = self.breaker()
        if before is None or before["day"] <= state["day"]:
            self._metrics.put(self._partition, _BREAKER, state)

    def joined_until(self) -> Micros | None:
        """The latest moment up to which labels were joined; ``None`` before the first join."""
        found = self._metrics.get(self._partition, _PROGRESS)
        return None if found is None else parse_moment(found["as_of"])

    def set_joined_until(self, as_of: str) -> None:
        """Store how far the join has come, unless it was further."""
        before = self.joined_until()
        if before is None or before < parse_moment(as_of):
            self._metrics.put(self._partition, _PROGRESS, {"as_of": as_of})


def why_labels_wait(metrics: Documents, model: str) -> str:
    """Why no training and no decision about quality may start now: the label breaker is open; empty when it is not."""
    state = LabelFigures(metrics, model).breaker()
    return f"the label breaker is open: {state['why']}" if state is not None and state["open"] else ""
