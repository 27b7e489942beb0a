"""Monitoring: the daily check, and an alarm for the incidents of each model."""

from aws_cdk import CfnOutput, Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.parts.alarms import MINUTE, Alarms, Symptom
from infra.parts.flow import Flow
from infra.parts.function import BATCH, TASK, Function
from infra.parts.triggers import run_every
from infra.wheels import API, IMAGE
from smallbox.aws import settings
from smallbox.aws.metrics import NAMESPACE
from smallbox.cli.system import incidents_output
from smallbox.define.project import load
from smallbox.monitoring.incidents import OPEN_INCIDENTS


class Monitoring(Construct):
    """``check`` is a task of the daily machine; ``resolve`` changes incidents; ``incidents`` is the alarms' topic.

    ``freshness`` looks every hour for stale sources.
    """

    def __init__(self, scope: Construct, flow: Flow) -> None:
        super().__init__(scope, "monitoring")
        checking = settings.CheckSettings(
            lake_bucket=flow.lake,
            registry_table=flow.table("registry"),
            metrics_table=flow.table("metrics"),
            online_table=flow.table("online"),
            alarms_topic=flow.alarms.topic.topic_arn,
        )
        Function(self, "check", flow, checking, wheels=IMAGE, size=TASK)
        looking = settings.FreshnessSettings(
            lake_bucket=flow.lake,
            registry_table=flow.table("registry"),
            metrics_table=flow.table("metrics"),
            alarms_topic=flow.alarms.topic.topic_arn,
        )
        freshness = Function(self, "freshness", flow, looking, wheels=IMAGE, size=BATCH)
        run_every(flow, "freshness", freshness, Duration.hours(1))
        changing = settings.ResolveSettings(metrics_table=flow.table("metrics"))
        self.resolve = Function(self, "resolve", flow, changing, wheels=API, size=BATCH).target
        self._incidents = Alarms(self, "incidents", flow.deployment)
        self.figures = {model: _figure(model) for model in load().models}
        self.alarms = [self._watch(model, figure) for model, figure in self.figures.items()]

    @property
    def incidents(self) -> sns.ITopic:
        """The topic that the models' alarms notify; it starts the decision to roll back or to train."""
        return self._incidents.topic

    def _watch(self, model: str, figure: cloudwatch.Metric) -> cloudwatch.Alarm:
        said = f"an incident of {model} was opened; `smallbox incidents {model}` tells it"
        alarm = self._incidents.watch(self, f"{model}-incidents", Symptom(said, [figure]))
        output = CfnOutput(self, f"{model}-incidents-output", value=alarm.alarm_name)
        output.override_logical_id(incidents_output(model))
        return alarm


def _figure(model: str) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name=OPEN_INCIDENTS,
        dimensions_map={"model": model},
        statistic="Sum",
        period=MINUTE,
    )
