"""The ``FallbackLog`` port: log lines in CloudWatch's embedded metric format, which alarms can count."""

from typing import Any, Final

from smallbox.aws.clock import now
from smallbox.aws.logs import log_failure, log_line
from smallbox.aws.metrics import NAMESPACE
from smallbox.records import Cause

_MICROS_PER_MILLI: Final = 1_000

FALLBACK_ANSWERS: Final = "FallbackAnswers"
"""Name of the metric of instances that a fallback answered. It sums over all models, so that one alarm covers all."""


DEGRADED_ANSWERS: Final = "DegradedAnswers"
"""Name of the metric of instances that were not answered as usual; also by ``cause``."""

UNLIMITED_ANSWERS: Final = "UnlimitedAnswers"
"""Name of the metric of instances that were let through although their rate limit could not be checked."""

LOST_PREDICTIONS: Final = "LostPredictions"
"""Name of the metric of rows of the prediction log that were given up."""


class EmbeddedFallbackLog:
    """The ``FallbackLog`` port as log lines with embedded metrics: no extra request, so no added latency."""

    def degraded(self, model: str, cause: Cause, answers: int, why: Exception | None = None) -> None:
        """Log the cause with the model and the error; the line counts as ``DegradedAnswers`` of the cause.

        Answers of the fallback count as ``FallbackAnswers`` too.
        """
        figures: dict[str, float] = {
            DEGRADED_ANSWERS: answers,
            **({FALLBACK_ANSWERS: answers} if cause == "prior" else {}),
        }
        fields = {"model": model, "cause": cause, **embedded(figures, "cause")}
        if why is None:
            log_line("answered otherwise", **fields)
        else:
            log_failure("answered otherwise", why, **fields)

    def unlimited(self, model: str, answers: int, why: Exception | None = None) -> None:
        """Log the model and the error; the line counts as ``UnlimitedAnswers``."""
        fields = {"model": model, **embedded({UNLIMITED_ANSWERS: answers})}
        if why is None:
            log_line("a rate limit was not checked", **fields)
        else:
            log_failure("a rate limit was not checked", why, **fields)

    def lost(self, model: str, rows: int) -> None:
        """Log the loss; the line counts as ``LostPredictions``."""
        log_line("rows of the prediction log were lost", model=model, **embedded({LOST_PREDICTIONS: rows}))


def embedded(figures: dict[str, float], *dimensions: str) -> dict[str, Any]:
    """The log fields that publish metrics, in CloudWatch's embedded metric format.

    Each metric is published without dimensions, and by each of the named fields of the line. The format's timestamp is
    in milliseconds.
    """
    by = [[], *([name] for name in dimensions)]
    metrics = [{"Name": name, "Unit": "Count"} for name in figures]
    directive = {"Namespace": NAMESPACE, "Dimensions": by, "Metrics": metrics}
    return {"_aws": {"Timestamp": now() // _MICROS_PER_MILLI, "CloudWatchMetrics": [directive]}, **figures}
