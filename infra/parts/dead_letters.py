"""Dead-letter queues, each with an alarm."""

from aws_cdk import Duration
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.parts.alarms import MINUTE, Alarms


def dead_letter_queue(scope: Construct, name: str, alarms: Alarms, *, enforce_tls: bool) -> sqs.Queue:
    """A dead-letter queue with 14 days of retention, and an alarm on the first message."""
    queue = sqs.Queue(
        scope,
        name,
        retention_period=Duration.days(14),
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=enforce_tls,
    )
    died = queue.metric_approximate_number_of_messages_visible(period=MINUTE, statistic="Maximum")
    alarms.watch(scope, f"{name}Alarm", died, "a message failed every attempt and waits for a redrive")
    return queue
