"""Retraining: decides daily and at every incident whether to roll back or to train."""

from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.parts.dead_letters import dead_letter_queue
from infra.parts.flow import Flow
from infra.parts.function import BATCH, Function
from infra.wheels import COMPUTE
from smallbox.aws import settings


class Retraining(Construct):
    """``decide`` is the last task of the daily machine, and subscribes to the alarms of incidents."""

    def __init__(self, scope: Construct, flow: Flow, incidents: sns.ITopic, training: sfn.IStateMachine) -> None:
        super().__init__(scope, "retraining")
        deciding = settings.DecideSettings(
            registry_table=flow.table("registry"),
            metrics_table=flow.table("metrics"),
            training_machine=training.state_machine_arn,
        )
        dead = dead_letter_queue(self, "Dead", enforce_tls=flow.deployment.enforce_tls)
        flow.arns.add("queue:decide-dead", dead.queue_arn)
        decide = Function(self, "decide", flow, deciding, wheels=COMPUTE, size=BATCH, dead=dead)
        incidents.add_subscription(subscriptions.LambdaSubscription(decide.target, dead_letter_queue=dead))
        self.dead = dead
