"""The report of a day: its checks, as they are stored, published and read."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Literal

from smallbox.records import Channel

CheckKind = Literal["data", "features", "predictions", "accuracy"]

KINDS: Final[tuple[CheckKind, ...]] = ("data", "features", "predictions", "accuracy")
LATEST: Final = "latest"


@dataclass(frozen=True, slots=True)
class Check:
    """One figure of one day, and its limit.

    Attributes:
        kind: what is checked.
        name: the figure and its subject, like ``psi:temperature``; of batch predictions ``batch:psi:temperature``.
        value: the figure; ``None`` without data.
        limit: its limit.
        breached: whether the figure is beyond the limit, with enough rows to decide.
        rows: the number of rows that the figure is computed from.
        note: what else a reader needs to know.
    """

    kind: CheckKind
    name: str
    value: float | None
    limit: float
    breached: bool
    rows: int
    note: str = ""

    @property
    def sentence(self) -> str:
        """The check in words."""
        seen = "nothing" if self.value is None else f"{self.value:.4g}"
        said = f"{self.kind} {self.name} is {seen}, limit {self.limit:.4g}, on {self.rows} rows"
        return f"{said}; {self.note}" if self.note else said


def of_channel(channel: Channel, checks: Sequence[Check]) -> list[Check]:
    """The checks with the channel in their names; those of online predictions keep the plain names.

    >>> [c.name for c in of_channel("batch", [Check("accuracy", "auc", 0.7, 0.6, breached=False, rows=300)])]
    ['batch:auc']
    """
    prefix = "" if channel == "online" else f"{channel}:"
    return [replace(check, name=prefix + check.name) for check in checks]


def not_judged(checks: Sequence[Check], why: str) -> list[Check]:
    """The checks with their figures, none of them breached, and why they were not judged."""
    return [replace(check, breached=False, note=f"not judged: {why}; {check.note}") for check in checks]


def breaches_of(checks: Sequence[Check]) -> dict[str, int]:
    """The number of breached checks of each kind, zero included."""
    return {kind: sum(check.breached for check in checks if check.kind == kind) for kind in KINDS}


def report_of(model: str, day: str, as_of: str, checks: Sequence[Check]) -> dict[str, Any]:
    """The day's report, JSON-ready."""
    return {
        "model": model,
        "day": day,
        "as_of": as_of,
        "breaches": breaches_of(checks),
        "sentences": [check.sentence for check in checks if check.breached],
        "checks": [asdict(check) for check in checks],
    }


def metrics_partition(model: str) -> str:
    """The partition key of a model's reports in the metrics table."""
    return f"model#{model}"


def report_key(day: str) -> str:
    """The sort key of a day's report."""
    return f"day#{day}"
