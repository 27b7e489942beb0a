"""What an operator must hear of, as lines of the log that CloudWatch counts."""

from typing import Any, Final

from smallbox.aws.clock import now
from smallbox.aws.logs import log_failure
from smallbox.aws.meter import NAMESPACE

_MICROS_PER_MILLI: Final = 1_000

FALLBACK_ANSWERS: Final = "FallbackAnswers"
"""The figure of how many instances a fallback answered, over all models: one alarm hears of any."""


class LogJournal:
    """The ``Journal`` port in CloudWatch's embedded metric format: no request of its own, so that no answer waits."""

    def fell_back(self, model: str, answers: int, why: Exception) -> None:
        """Log it, with the model and the error; the line counts as ``FallbackAnswers``."""
        log_failure("the fallback answered", why, model=model, **embedded({FALLBACK_ANSWERS: answers}))


def embedded(figures: dict[str, float]) -> dict[str, Any]:
    """The fields that make a line of the log a metric without dimensions.

    The format is CloudWatch's "embedded metric format"; its timestamp is in milliseconds.
    """
    metrics = [{"Name": name, "Unit": "Count"} for name in figures]
    directive = {"Namespace": NAMESPACE, "Dimensions": [[]], "Metrics": metrics}
    return {"_aws": {"Timestamp": now() // _MICROS_PER_MILLI, "CloudWatchMetrics": [directive]}, **figures}
