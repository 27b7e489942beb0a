"""What starts a function: a queue, an object that arrives, or the clock."""

from typing import Final

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
"""Readers of a queue at a time: the fewest that AWS lets one ask for; more would meet in the same commit."""


def read_batches(flow: Flow, queue: str, function: Function) -> None:
    """Give the function batches of the queue; it reports the messages that failed, the others are done."""
    _map(flow, queue, function, BATCH_SIZE, flow.deployment.batch_window_seconds)


def read_one_by_one(flow: Flow, queue: str, function: Function, workers: int = FEWEST) -> None:
    """Give the function one message at a time, and so many messages at once to as many of it."""
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
    """Send a message for every object created under a key with wildcards.

    Through EventBridge: a bucket's own notifications across stacks would make the stacks depend on each other.
    """
    pattern = events.EventPattern(
        source=["aws.s3"],
        detail_type=["Object Created"],
        detail={"bucket": {"name": [bucket.bucket_name]}, "object": {"key": [{"wildcard": key}]}},
    )
    rule = events.Rule(scope, f"{queue}-arrive", event_pattern=pattern)
    rule.add_target(targets.SqsQueue(flow.queues[queue].queue))


def run_daily(flow: Flow, name: str, function: Function, hour: int, minute: int) -> None:
    """Invoke the function once a day, within a quarter of an hour of a time in UTC, with an empty event."""
    home = Construct(function, "schedule")
    scheduler.Schedule(
        home,
        "Daily",
        schedule=scheduler.ScheduleExpression.cron(hour=str(hour), minute=str(minute)),
        target=scheduled.LambdaInvoke(
            function.target,
            role=exact_role(home, f"schedule/{name}", "scheduler", flow.arns),
            input=scheduler.ScheduleTargetInput.from_object({}),
        ),
        time_window=scheduler.TimeWindow.flexible(Duration.minutes(15)),
        enabled=flow.deployment.schedules_enabled,
    )
