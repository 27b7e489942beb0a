"""Figures to CloudWatch."""

from collections.abc import Mapping
from typing import Any, Final

from smallbox.aws.clients import AwsErrors, client, reason_of
from smallbox.errors import Unavailable

NAMESPACE: Final = "Smallbox"


class CloudWatchMeter:
    """The ``Meter`` port: PutMetricData at the present time, in the namespace ``Smallbox``."""

    def __init__(self, cloudwatch: Any = None) -> None:
        self._cloudwatch = cloudwatch or client("cloudwatch")

    def publish(self, figures: Mapping[str, float], dimensions: Mapping[str, str]) -> None:
        """Publish each figure under its name and the dimensions."""
        named = [{"Name": name, "Value": value} for name, value in dimensions.items()]
        data = [{"MetricName": name, "Value": value, "Dimensions": named} for name, value in figures.items()]
        try:
            self._cloudwatch.put_metric_data(Namespace=NAMESPACE, MetricData=data)
        except AwsErrors as error:
            raise Unavailable(f"CloudWatch did not take the figures: {reason_of(error)}") from error
