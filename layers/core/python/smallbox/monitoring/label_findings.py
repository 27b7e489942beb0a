"""What the label breaker found, as findings of the day's check."""

from collections.abc import Sequence

from smallbox.labels.stored import BreakerDocument
from smallbox.monitoring.findings import Finding


def label_findings(state: BreakerDocument | None, day: str, source: str) -> Sequence[Finding]:
    """The findings of a day; none when the breaker's state is of another day, or there is none yet.

    Args:
        state: the breaker's state; see :class:`~smallbox.labels.stored.LabelFigures`.
        day: the day that is checked, ``YYYY-MM-DD``.
        source: the name of the labels' source.
    """
    if state is None or state["day"] != day:
        return ()
    return [
        Finding(
            trip["kind"], source, "incident", trip["sentence"], "mend the source", cause=source, evidence=dict(trip)
        )
        for trip in state["trips"]
    ]
