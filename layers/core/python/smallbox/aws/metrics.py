"""The ``Meter`` port: metrics to CloudWatch."""

from collections.abc import Mapping
from typing import Any, Final

from smallbox.aws.clients import aws_errors, client, reason_of
from smallbox.errors import Unavailable

NAMESPACE: Final = "Smallbox"


class CloudWatchMeter:
    """Publishes with PutMetricData, in the namespace ``Smallbox``, with the present time."""

    def __init__(self, cloudwatch: Any = None) -> None:
        self._cloudwatch = cloudwatch or client("cloudwatch")

    def publish(self, figures: Mapping[str, float], dimensions: Mapping[str, str]) -> None:
        """Publish each metric, by name, with these dimensions."""
        named = [{"Name": name, "Value": value} for name, value in dimensions.items()]
        data = [{"MetricName": name, "Value": value, "Dimensions": named} for name, value in figures.items()]
        try:
            self._cloudwatch.put_metric_data(Namespace=NAMESPACE, MetricData=data)
        except aws_errors() as error:
            raise Unavailable(f"CloudWatch did not accept the metrics: {reason_of(error)}") from error
