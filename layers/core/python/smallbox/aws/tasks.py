"""Shared code of functions that a state machine or a schedule invokes: raised errors carry no personal data.

Lambda logs the error that a handler raises, and Step Functions stores it in the execution's history. The message of a
third-party error may contain a personal value, so it is removed.
"""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from smallbox.aws.logs import error_line, log_failure
from smallbox.errors import SmallboxError

Event = TypeVar("Event")
Answer = TypeVar("Answer")


def as_task(handler: Callable[[Event, object], Answer]) -> Callable[[Event, object], Answer]:
    """Wrap a handler: log its errors, and replace a third-party error by one with only its class and location."""

    @wraps(handler)
    def handled(event: Event, context: object) -> Answer:
        try:
            return handler(event, context)
        except SmallboxError as error:
            log_failure("task failed", error)
            raise error from None  # Step Functions decides about a retry by the class name; the cause is logged
        except Exception as error:  # noqa: BLE001 - no error's text may leave the function
            log_failure("task failed", error)
            raise SmallboxError(f"a bug, or a definition that does not fit its data: {error_line(error)}") from None

    return handled
