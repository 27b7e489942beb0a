"""Log groups."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs
from constructs import Construct


def log_group(scope: Construct, name: str) -> logs.LogGroup:
    """A log group with 30 days of retention and CloudWatch's own key; a customer key would cost a dollar a month."""
    return logs.LogGroup(scope, name, retention=logs.RetentionDays.ONE_MONTH, removal_policy=RemovalPolicy.DESTROY)
