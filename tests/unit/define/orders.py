"""Sources, functions and an estimator of a made-up shop, for the tests of frozen definitions."""

from typing import Any

from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from smallbox.define import Columns, Source, boolean, integer, label, number, prepare, text, timestamp

REQUEST = Source(
    "orders",
    key="order_id",
    time="placed_at",
    fields={
        "order_id": text(),
        "placed_at": timestamp(),
        "who": text(),
        "where": text(nullable=True),
        "amount": number(minimum=0, unit="EUR"),
        "items": integer(nullable=True, pii=True),
        "is_for": text(),
        "is_gift": boolean(),
        "ship_at": timestamp(nullable=True),
        "note": text(nullable=True, pii=True),
    },
    known_after="0s",
)
EVENTS = Source(
    "events",
    key="event_id",
    time="at",
    fields={
        "event_id": text(),
        "at": timestamp(),
        "who": text(nullable=True),
        "where": text(),
        "size": number(unit="kg", maximum=1e6),
        "pieces": integer(nullable=True, pii=True),
        "stars": integer(minimum=0, maximum=5),
        "ok": boolean(nullable=True),
        "shop": text(choices=("a", "b")),
        "unread": text(nullable=True),
    },
    known_after="10m",
)
OUTCOME = label(EVENTS, on="event_id", value="ok", within="2d")


def linear(columns: Columns) -> Pipeline:
    """An estimator."""
    return Pipeline([("prepare", prepare(columns)), ("classify", LogisticRegression(C=1.0))])


def log_amount(amount: Any) -> Any:
    """An on-demand feature of an input."""
    return amount + 1


def waits(ship_at: Any, placed_at: Any) -> Any:
    """An on-demand feature of moments that are no inputs."""
    return (ship_at - placed_at).astype(float)


def of_both(log_amount: Any, items: Any) -> Any:
    """An on-demand feature of another one, and of a personal number."""
    return log_amount * items


FUNCTIONS = (of_both, waits, log_amount)
