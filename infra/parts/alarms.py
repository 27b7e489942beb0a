"""CloudWatch alarms and the SNS topics that they notify."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.deployment import Deployment

MINUTE: Final = Duration.minutes(1)


@dataclass(frozen=True, slots=True)
class Symptom:
    """When an alarm rings: its figure is on the wrong side of a threshold in every one of some periods.

    Attributes:
        meaning: the alarm's description: what hurts.
        metrics: the metrics of the figure, at most ten.
        threshold: it rings at this or above; with ``rings_below`` below it.
        periods: the number of periods in a row.
        combined: how several metrics are combined; one without data is 0.
        rings_below: whether too little rings, and no data too. Otherwise no data is well.
    """

    meaning: str
    metrics: Sequence[cloudwatch.Metric]
    threshold: float = 1
    periods: int = 1
    combined: Literal["SUM", "MAX"] = "SUM"
    rings_below: bool = False


class Alarms(Construct):
    """An SNS topic and the alarms that notify it.

    The topic is not encrypted with KMS. CloudWatch cannot publish with the AWS-managed key, a customer-managed key
    costs a dollar a month, and a message holds an alarm's name and value, or the sentence of an incident.
    """

    def __init__(self, scope: Construct, name: str, deployment: Deployment) -> None:
        super().__init__(scope, name)
        self._has_math = deployment.metric_math
        self.topic = sns.Topic(self, "Topic", enforce_ssl=deployment.enforce_tls)
        # Our own policy replaces the default policy, which would have allowed the account's alarms to publish.
        self.topic.add_to_resource_policy(_from_alarms(self.topic))
        self._action = actions.SnsAction(self.topic)

    def watch(self, scope: Construct, name: str, symptom: Symptom) -> cloudwatch.Alarm:
        """Add an alarm."""
        compared, missing = cloudwatch.ComparisonOperator, cloudwatch.TreatMissingData
        over, under = compared.GREATER_THAN_OR_EQUAL_TO_THRESHOLD, compared.LESS_THAN_THRESHOLD
        alarm = cloudwatch.Alarm(
            scope,
            name,
            metric=self._figure(symptom),
            threshold=symptom.threshold,
            evaluation_periods=symptom.periods,
            comparison_operator=under if symptom.rings_below else over,
            treat_missing_data=missing.BREACHING if symptom.rings_below else missing.NOT_BREACHING,
            alarm_description=symptom.meaning,
        )
        alarm.add_alarm_action(self._action)
        return alarm

    def notify(self, addresses: Sequence[str]) -> None:
        """Subscribe e-mail addresses and HTTPS endpoints; each must confirm its subscription."""
        for address in addresses:
            is_url = address.startswith("https://")
            endpoint = subscriptions.UrlSubscription(address) if is_url else subscriptions.EmailSubscription(address)
            self.topic.add_subscription(endpoint)

    def _figure(self, symptom: Symptom) -> cloudwatch.IMetric:
        if len(symptom.metrics) == 1:
            return symptom.metrics[0]
        return _combined(symptom) if self._has_math else _of_all(symptom.metrics[0])


def _combined(symptom: Symptom) -> cloudwatch.MathExpression:
    named = {f"m{number}": metric for number, metric in enumerate(symptom.metrics)}
    filled = ", ".join(f"FILL({name}, 0)" for name in named)
    return cloudwatch.MathExpression(
        expression=f"{symptom.combined}([{filled}])", using_metrics={**named}, period=symptom.metrics[0].period
    )


def _of_all(metric: cloudwatch.Metric) -> cloudwatch.Metric:
    """The metric without its dimensions, which the emulator evaluates over all resources: it has no metric math."""
    return cloudwatch.Metric(
        namespace=metric.namespace, metric_name=metric.metric_name, statistic=metric.statistic, period=metric.period
    )


def _from_alarms(topic: sns.Topic) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
        actions=["sns:Publish"],
        resources=[topic.topic_arn],
        conditions={"StringEquals": {"aws:SourceAccount": Stack.of(topic).account}},
    )
