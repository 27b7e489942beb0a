"""Monitoring: daily metrics, and an alarm for each model and kind of breach."""

from aws_cdk import CfnOutput
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.parts.alarms import MINUTE, Alarms
from infra.parts.flow import Flow
from infra.parts.function import TASK, Function
from infra.wheels import IMAGE
from smallbox.aws import settings
from smallbox.aws.metrics import NAMESPACE
from smallbox.define.project import load
from smallbox.monitoring.report import KINDS, CheckKind, metric_name


class Monitoring(Construct):
    """``check`` is a task of the daily machine; ``accept`` is invoked by hand; ``breaches`` is the alarms' topic."""

    def __init__(self, scope: Construct, flow: Flow) -> None:
        super().__init__(scope, "monitoring")
        checking = settings.CheckSettings(
            lake_bucket=flow.lake, registry_table=flow.table("registry"), metrics_table=flow.table("metrics")
        )
        accepting = settings.AcceptSettings(
            lake_bucket=flow.lake, registry_table=flow.table("registry"), metrics_table=flow.table("metrics")
        )
        Function(self, "check", flow, checking, wheels=IMAGE, size=TASK)
        self.accept = Function(self, "accept", flow, accepting, wheels=IMAGE, size=TASK).target
        self._breaches = Alarms(self, "breaches", enforce_tls=flow.deployment.enforce_tls)
        for model in load().models:
            for kind in KINDS:
                self._watch(model, kind)

    @property
    def breaches(self) -> sns.ITopic:
        """The topic that the models' alarms notify."""
        return self._breaches.topic

    def _watch(self, model: str, kind: CheckKind) -> None:
        metric = cloudwatch.Metric(
            namespace=NAMESPACE,
            metric_name=metric_name(kind),
            dimensions_map={"model": model},
            statistic="Sum",
            period=MINUTE,
        )
        name = f"{model}-{kind}"
        alarm = self._breaches.watch(self, name, metric, f"{kind} of {model} out of bounds; see its metrics")
        output = "".join(part.capitalize() for part in [*model.split("_"), kind, "alarm"])
        CfnOutput(self, f"{name}-output", value=alarm.alarm_name).override_logical_id(output)
