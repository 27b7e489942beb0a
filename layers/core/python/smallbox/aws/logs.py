"""What every function logs of an error: what it is and where, never the text of one that is not ours.

The text of a foreign error can repeat a value that it could not handle, and values may be personal. Messages of our own
errors show none.
"""

import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger

from smallbox.errors import SmallboxError, policy_of

logger = Logger()


def log_failure(message: str, error: BaseException, **details: Any) -> None:
    """Log an error and what caused it."""
    logger.error(message, extra={**details, "code": policy_of(error).code, "errors": list(_chain(error))})


def told(error: BaseException) -> str:
    """An error in one line.

    >>> told(SmallboxError("the lake did not answer"))
    'SmallboxError: the lake did not answer'
    >>> told(ValueError("could not convert 'alice@example.org'"))
    'ValueError'
    """
    said = f": {error.message}" if isinstance(error, SmallboxError) else ""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno} in {frames[-1].name}" if frames else ""
    return f"{type(error).__name__}{said}{place}"


def _chain(error: BaseException | None) -> Iterator[dict[str, Any]]:
    """The error, its cause, the cause of that: each with the places that it came through, the innermost last."""
    while error is not None:
        places = [f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in traceback.extract_tb(error.__traceback__)]
        yield {"error": told(error), "places": places}
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
