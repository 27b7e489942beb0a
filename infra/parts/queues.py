"""Queues, each with a dead-letter queue."""

from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.deployment import Deployment
from infra.parts.dead_letters import dead_letter_queue

SECONDS: Final = {
    "events": 60,
    "features": 60,
    "rebuild": 900,
    "predictions": 60,
    "drops": 900,
    "scores": 900,
}
"""The timeout of the function that reads each queue, for one batch, in seconds."""

_MAX_RECEIVES: Final = 5


class WorkQueue(Construct):
    """A queue and its dead-letter queue."""

    def __init__(self, scope: Construct, name: str, deployment: Deployment) -> None:
        super().__init__(scope, name)
        self.timeout = Duration.seconds(SECONDS[name])
        self.dead = dead_letter_queue(self, "Dead", enforce_tls=deployment.enforce_tls)
        self.queue = sqs.Queue(
            self,
            "Queue",
            visibility_timeout=Duration.seconds(SECONDS[name] * deployment.visibility_factor),
            retention_period=Duration.days(4),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=deployment.enforce_tls,
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead, max_receive_count=_MAX_RECEIVES),
        )
