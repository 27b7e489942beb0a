"""Release: the ladder of a version that passed the gate, from its shadow over its canary to champion."""

from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.parts.alarms import MINUTE, Alarms, Symptom
from infra.parts.flow import Flow
from infra.parts.function import BATCH, TASK, Function
from infra.parts.triggers import run_every
from infra.wheels import COMPUTE, IMAGE
from smallbox.aws import settings
from smallbox.aws.metrics import NAMESPACE
from smallbox.release.canary_marks import CHALLENGER_TROUBLE

GUARDED_EVERY: Final = Duration.minutes(5)
"""How often canaries are looked at, whether or not the alarm rings: it rings only when trouble begins."""

_TROUBLE: Final = "the challenger of a canary failed, was late, fell back or lacked features; its guard looks at it"


class Release(Construct):
    """``start`` ends the training machine; ``shadow``, ``review`` and ``experiment`` run in the daily machine.

    ``guard`` looks at running canaries, by its alarm and by schedule.
    """

    def __init__(self, scope: Construct, flow: Flow) -> None:
        super().__init__(scope, "release")
        registry = flow.table("registry")
        reviewing = settings.ReviewSettings(
            lake_bucket=flow.lake, registry_table=registry, metrics_table=flow.table("metrics")
        )

        start = Function(
            self, "start", flow, settings.StartSettings(registry_table=registry), wheels=COMPUTE, size=BATCH
        )
        shadowing = settings.ShadowSettings(
            lake_bucket=flow.lake, registry_table=registry, metrics_table=flow.table("metrics")
        )
        self.shadow = Function(self, "shadow", flow, shadowing, wheels=IMAGE, size=TASK).target
        Function(self, "review", flow, reviewing, wheels=IMAGE, size=TASK)
        measuring = settings.ExperimentSettings(lake_bucket=flow.lake, registry_table=registry)
        experiment = Function(self, "experiment", flow, measuring, wheels=IMAGE, size=TASK)
        self.start, self.experiment = start.target, experiment.target
        self.trouble = Alarms(self, "trouble", flow.deployment)
        self.alarm = self.trouble.watch(self, "ChallengerTrouble", Symptom(_TROUBLE, [challenger_trouble()]))
        self._guard(flow)

    def _guard(self, flow: Flow) -> None:
        guarding = settings.GuardSettings(
            registry_table=flow.table("registry"),
            metrics_table=flow.table("metrics"),
            alarms_topic=flow.alarms.topic.topic_arn,
        )
        guard = Function(self, "guard", flow, guarding, wheels=COMPUTE, size=BATCH)
        # a look that is lost is made up for by the schedule
        self.trouble.topic.add_subscription(subscriptions.LambdaSubscription(guard.target))
        run_every(flow, "guard", guard, GUARDED_EVERY)


def challenger_trouble() -> cloudwatch.Metric:
    """How many requests of a minute were trouble of a challenger, over all models."""
    return cloudwatch.Metric(namespace=NAMESPACE, metric_name=CHALLENGER_TROUBLE, statistic="Sum", period=MINUTE)
