"""The ``FallbackLog`` port: log lines in CloudWatch's embedded metric format, which alarms can count."""

from typing import Any, Final

from smallbox.aws.clock import now
from smallbox.aws.logs import log_failure
from smallbox.aws.metrics import NAMESPACE

_MICROS_PER_MILLI: Final = 1_000

FALLBACK_ANSWERS: Final = "FallbackAnswers"
"""Name of the metric of instances that a fallback answered. It sums over all models, so that one alarm covers all."""


class EmbeddedFallbackLog:
    """The ``FallbackLog`` port as log lines with embedded metrics: no extra request, so no added latency."""

    def fell_back(self, model: str, answers: int, why: Exception) -> None:
        """Log the fallback with the model and the error; the line counts as ``FallbackAnswers``."""
        log_failure("the fallback answered", why, model=model, **embedded({FALLBACK_ANSWERS: answers}))


def embedded(figures: dict[str, float]) -> dict[str, Any]:
    """The log fields that publish metrics without dimensions, in CloudWatch's embedded metric format.

    The format's timestamp is in milliseconds.
    """
    metrics = [{"Name": name, "Unit": "Count"} for name in figures]
    directive = {"Namespace": NAMESPACE, "Dimensions": [[]], "Metrics": metrics}
    return {"_aws": {"Timestamp": now() // _MICROS_PER_MILLI, "CloudWatchMetrics": [directive]}, **figures}
