"""Triggers of functions: an SQS queue, a new S3 object, or a schedule."""

from collections.abc import Mapping
from typing import Any, Final

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as scheduled
from constructs import Construct

from infra.parts.flow import Flow
from infra.parts.function import Function
from infra.parts.roles import exact_role

BATCH_SIZE: Final = 100
FEWEST: Final = 2
"""Concurrent readers of a queue: the minimum that AWS allows. More readers would conflict in their commits."""


def read_batches(flow: Flow, queue: str, function: Function, workers: int = FEWEST, messages: int = BATCH_SIZE) -> None:
    """Invoke the function with batches of messages; it returns the ids of failed messages (partial batch response).

    Lambda ends a batch at ``messages``, when the window is over, or at six megabytes, whichever comes first.
    """
    _map(flow, queue, function, messages, flow.deployment.batch_window_seconds, workers)


def read_one_by_one(flow: Flow, queue: str, function: Function, workers: int = FEWEST) -> None:
    """Invoke the function with single messages, at most ``workers`` at the same time."""
    _map(flow, queue, function, 1, 0, workers)


def _map(flow: Flow, queue: str, function: Function, batch: int, window: int, workers: int = FEWEST) -> None:
    lambda_.EventSourceMapping(
        function,
        "Messages",
        target=function.target,
        event_source_arn=flow.queues[queue].queue.queue_arn,
        batch_size=batch,
        max_batching_window=Duration.seconds(window),
        max_concurrency=workers,
        report_batch_item_failures=True,
    )


def objects_to_queue(scope: Construct, flow: Flow, bucket: s3.IBucket, key: str, queue: str) -> None:
    """Send a message for every object created with a key that matches a wildcard pattern.

    It uses EventBridge, because S3 notifications across stacks would create a cyclic dependency between the stacks.
    """
    pattern = events.EventPattern(
        source=["aws.s3"],
        detail_type=["Object Created"],
        detail={"bucket": {"name": [bucket.bucket_name]}, "object": {"key": [{"wildcard": key}]}},
    )
    rule = events.Rule(scope, f"{queue}-arrive", event_pattern=pattern)
    rule.add_target(targets.SqsQueue(flow.queues[queue].queue))


def run_daily(
    flow: Flow, name: str, function: Function, hour: int, minute: int, event: Mapping[str, Any] | None = None
) -> None:
    """Invoke the function daily at a time in UTC, within the 15 minutes after it, with an event, empty by default."""
    when = scheduler.ScheduleExpression.cron(hour=str(hour), minute=str(minute))
    _run(flow, name, function, "Daily", when, scheduler.TimeWindow.flexible(Duration.minutes(15)), event or {})


def run_every(flow: Flow, name: str, function: Function, often: Duration) -> None:
    """Invoke the function again and again, with an empty event."""
    when = scheduler.ScheduleExpression.rate(often)
    _run(flow, name, function, "Often", when, scheduler.TimeWindow.off(), {})


def _run(
    flow: Flow,
    name: str,
    function: Function,
    often: str,
    when: scheduler.ScheduleExpression,
    window: scheduler.TimeWindow,
    event: Mapping[str, Any],
) -> None:
    home = Construct(function, "schedule")
    scheduler.Schedule(
        home,
        often,
        schedule=when,
        target=scheduled.LambdaInvoke(
            function.target,
            role=exact_role(home, f"schedule/{name}", "scheduler", flow.arns),
            input=scheduler.ScheduleTargetInput.from_object(dict(event)),
        ),
        time_window=window,
        enabled=flow.deployment.schedules_enabled,
    )
