"""Retraining: decides daily and at every alarm whether to start a training."""

from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.parts.dead_letters import dead_letter_queue
from infra.parts.flow import Flow
from infra.parts.function import BATCH, Function
from infra.wheels import API
from smallbox.aws import settings


class Retraining(Construct):
    """``decide`` is the last task of the daily machine, and subscribes to the models' alarms."""

    def __init__(self, scope: Construct, flow: Flow, breaches: sns.ITopic, training: sfn.IStateMachine) -> None:
        super().__init__(scope, "retraining")
        deciding = settings.DecideSettings(
            registry_table=flow.table("registry"),
            metrics_table=flow.table("metrics"),
            training_machine=training.state_machine_arn,
        )
        dead = dead_letter_queue(self, "Dead", flow.alarms, enforce_tls=flow.deployment.enforce_tls)
        flow.arns.add("queue:decide-dead", dead.queue_arn)
        decide = Function(self, "decide", flow, deciding, wheels=API, size=BATCH, dead=dead)
        breaches.add_subscription(subscriptions.LambdaSubscription(decide.target, dead_letter_queue=dead))
        self.dead = dead
