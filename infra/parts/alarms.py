"""The topic that every operational alarm speaks to, and the one way to make an alarm."""

from typing import Final

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

MINUTE: Final = Duration.minutes(1)


class Alarms(Construct):
    """A topic and its alarms.

    The topic has no customer key: CloudWatch cannot publish under the AWS-managed one, a customer key
    costs a dollar a month, and a message holds no more than an alarm's name and number.
    """

    def __init__(self, scope: Construct, name: str, *, enforce_tls: bool) -> None:
        super().__init__(scope, name)
        self.topic = sns.Topic(self, "Topic", enforce_ssl=enforce_tls)
        # A policy of our own replaces the default one, which is what lets the account's alarms in.
        self.topic.add_to_resource_policy(_from_alarms(self.topic))
        self._action = actions.SnsAction(self.topic)

    def watch(
        self, scope: Construct, name: str, metric: cloudwatch.IMetric, meaning: str, threshold: float = 1
    ) -> cloudwatch.Alarm:
        """Alarm when the metric reaches the threshold; no data is no alarm."""
        alarm = cloudwatch.Alarm(
            scope,
            name,
            metric=metric,
            threshold=threshold,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            alarm_description=meaning,
        )
        alarm.add_alarm_action(self._action)
        return alarm


def _from_alarms(topic: sns.Topic) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
        actions=["sns:Publish"],
        resources=[topic.topic_arn],
        conditions={"StringEquals": {"aws:SourceAccount": Stack.of(topic).account}},
    )
