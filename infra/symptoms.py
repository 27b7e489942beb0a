"""The alarms of the whole system: what a user or an operator suffers from, whichever function is the cause."""

from collections.abc import Iterator, Sequence
from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.parts.alarms import MINUTE, Symptom
from infra.parts.flow import Flow
from smallbox.aws.failure_log import FALLBACK_ANSWERS, LOST_PREDICTIONS, UNLIMITED_ANSWERS
from smallbox.aws.metrics import NAMESPACE
from smallbox.define.project import load

UPKEEP: Final = "ingestion/upkeep"
SCHEDULED: Final = (UPKEEP, "serving/score", "release/guard", "monitoring/freshness")
"""The functions that a schedule invokes: Lambda tries a failed run again, and then drops it."""

_OLDEST_SECONDS: Final = 1_800
_SLOW_MILLISECONDS: Final = 3_000
_QUARTER_DAY: Final = Duration.hours(6)


class Symptoms(Construct):
    """At most ten alarms, whatever the number of models, functions and queues.

    Args:
        scope: where it belongs.
        flow: the shared resources, with all functions.
        machines: every state machine.
        dead: the dead-letter queues beside those of the work queues.
    """

    def __init__(
        self, scope: Construct, flow: Flow, machines: Sequence[sfn.StateMachine], dead: Sequence[sqs.Queue]
    ) -> None:
        super().__init__(scope, "symptoms")
        found = [*_of_answers(flow), *_of_messages(flow, dead), *_of_runs(flow, machines), *_of_logs()]
        self.alarms = [flow.alarms.watch(self, name, symptom) for name, symptom in found]


def _of_answers(flow: Flow) -> Iterator[tuple[str, Symptom]]:
    yield "Failing", Symptom("the API answered with a 5xx", [flow.api.failures()])
    slow = flow.api.latency(Duration.minutes(5))
    said = "one request in ten took 3 seconds or more, for a quarter of an hour"
    yield "Slow", Symptom(said, [slow], _SLOW_MILLISECONDS, periods=3)


def _of_messages(flow: Flow, dead: Sequence[sqs.Queue]) -> Iterator[tuple[str, Symptom]]:
    letters = [*(queue.dead for queue in flow.queues.values()), *dead]
    died = [one.metric_approximate_number_of_messages_visible(period=MINUTE, statistic="Maximum") for one in letters]
    yield "Dead", Symptom("a message failed every attempt and waits for a redrive", died)
    queues = [queue.queue for queue in flow.queues.values()]
    ages = [one.metric_approximate_age_of_oldest_message(period=MINUTE, statistic="Maximum") for one in queues]
    said = "the oldest message of a queue has waited half an hour"
    yield "Waiting", Symptom(said, ages, _OLDEST_SECONDS, combined="MAX")


def _of_runs(flow: Flow, machines: Sequence[sfn.StateMachine]) -> Iterator[tuple[str, Symptom]]:
    ended = [one.metric_failed(period=MINUTE) for one in machines]
    ended += [one.metric_timed_out(period=MINUTE) for one in machines]
    yield "Executions", Symptom("an execution of a state machine failed or timed out", ended)
    functions = [flow.functions[path] for path in SCHEDULED]
    dropped = [one.metric("AsyncEventsDropped", period=MINUTE, statistic="Sum") for one in functions]
    yield (
        "Dropped",
        Symptom(
            "a scheduled run of the upkeep, the daily files, the guard or the look at freshness failed every attempt",
            dropped,
        ),
    )
    runs = flow.functions[UPKEEP].metric_invocations(period=_QUARTER_DAY, statistic="Sum")
    said = "the upkeep has not run for 30 hours; also in the first night after the first deployment"
    yield "UpkeepOverdue", Symptom(said, [runs], periods=5, rings_below=True)


def _of_logs() -> Iterator[tuple[str, Symptom]]:
    """Figures that functions log, over all models."""
    watched = {
        "Fallback": (FALLBACK_ANSWERS, "a fallback answered in place of a model; the log says why"),
        "LostPredictions": (LOST_PREDICTIONS, "rows of the prediction log were lost; its queue took none"),
    }
    if any(model.serve.rate_limit for model in load().models.values()):
        watched["Unlimited"] = UNLIMITED_ANSWERS, "rate limits were not checked; the log says why"
    for name, (metric, said) in watched.items():
        counted = cloudwatch.Metric(namespace=NAMESPACE, metric_name=metric, statistic="Sum", period=MINUTE)
        yield name, Symptom(said, [counted])
