"""How large a request may be: every limit of the HTTPS routes, and the one sentence of a request beyond it."""

from typing import Final

from smallbox.errors import TooLarge

BODY_LIMIT: Final = 4_000_000
"""Maximum size of a body in bytes, base64 removed: a Lambda event has at most 6 MB, with the body escaped or encoded in
base64."""

EVENT_LIMIT: Final = 500
"""Maximum number of records in a body."""

INSTANCE_LIMIT: Final = 500
"""Maximum number of instances of a prediction; of the inference protocol, of rows."""


def check_body_size(bytes_: int) -> None:
    """Raise unless a body is small enough.

    >>> check_body_size(BODY_LIMIT + 1)
    Traceback (most recent call last):
    smallbox.errors.TooLarge: the body has 4,000,001 bytes; send at most 4,000,000 in one request

    Raises:
        TooLarge: details hold the limit and its unit.
    """
    _check("the body has", bytes_, "bytes", BODY_LIMIT)


def check_event_count(records: int) -> None:
    """Raise :class:`TooLarge`, as :func:`check_body_size` does, unless there are few enough records."""
    _check("the body has", records, "records", EVENT_LIMIT)


def check_instance_count(instances: int) -> None:
    """Raise :class:`TooLarge`, as :func:`check_body_size` does, unless there are few enough instances."""
    _check("the request has", instances, "instances", INSTANCE_LIMIT)


def _check(subject: str, count: int, unit: str, limit: int) -> None:
    if count > limit:
        message = f"{subject} {count:,} {unit}; send at most {limit:,} in one request"
        raise TooLarge(message, limit=limit, unit=unit)
