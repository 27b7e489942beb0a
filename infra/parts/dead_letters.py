"""Dead-letter queues."""

from aws_cdk import Duration
from aws_cdk import aws_sqs as sqs
from constructs import Construct


def dead_letter_queue(scope: Construct, name: str, *, enforce_tls: bool) -> sqs.Queue:
    """A dead-letter queue with 14 days of retention."""
    return sqs.Queue(
        scope,
        name,
        retention_period=Duration.days(14),
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=enforce_tls,
    )
