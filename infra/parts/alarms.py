"""CloudWatch alarms and the SNS topics that they notify."""

from typing import Final

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

MINUTE: Final = Duration.minutes(1)


class Alarms(Construct):
    """An SNS topic and the alarms that notify it.

    The topic is not encrypted with KMS. CloudWatch cannot publish with the AWS-managed key, a customer-managed key
    costs a dollar a month, and a message holds only an alarm's name and metric value.
    """

    def __init__(self, scope: Construct, name: str, *, enforce_tls: bool) -> None:
        super().__init__(scope, name)
        self.topic = sns.Topic(self, "Topic", enforce_ssl=enforce_tls)
        # Our own policy replaces the default policy, which would have allowed the account's alarms to publish.
        self.topic.add_to_resource_policy(_from_alarms(self.topic))
        self._action = actions.SnsAction(self.topic)

    def watch(
        self, scope: Construct, name: str, metric: cloudwatch.IMetric, meaning: str, threshold: float = 1
    ) -> cloudwatch.Alarm:
        """Add an alarm that fires when the metric reaches the threshold in one period; missing data is OK."""
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
