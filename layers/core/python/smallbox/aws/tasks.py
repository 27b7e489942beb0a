"""What every function that a state machine or a schedule invokes shares: an error leaves it without foreign text.

Lambda prints what a handler raises, and Step Functions keeps it in the history and the log of the execution.
"""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from smallbox.aws.logs import log_failure, told
from smallbox.errors import SmallboxError

Event = TypeVar("Event")
Answer = TypeVar("Answer")


def as_task(handler: Callable[[Event, object], Answer]) -> Callable[[Event, object], Answer]:
    """The handler, whose errors are logged; one that is not ours is raised as an error that says its type and place."""

    @wraps(handler)
    def handled(event: Event, context: object) -> Answer:
        try:
            return handler(event, context)
        except SmallboxError as error:
            log_failure("task failed", error)
            raise error from None  # its name decides whether it is tried again; what caused it has been logged
        except Exception as error:  # noqa: BLE001 - whatever it is, its text must not leave the function
            log_failure("task failed", error)
            raise SmallboxError(f"a bug, or a definition that does not fit its data: {told(error)}") from None

    return handled
