"""The stack with the data; deleting the stack keeps buckets and tables."""

from typing import Any, Final, cast

from aws_cdk import CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.deployment import Deployment

TABLES: Final = {"online": False, "registry": True, "metrics": True, "limits": False}
"""The DynamoDB tables, and whether each has a sort key. All are encrypted with DynamoDB's own keys, at no cost."""

EXPIRING: Final = ("online", "metrics", "limits")
"""The tables that have items which expire; of `metrics` only the counters of canaries do."""

PARTS_DAYS: Final = 21
"""Days until parts of a dropped file expire: longer than their messages live, which is 4 days in the queue and 14 in
the dead-letter queue."""


class Stores(Stack):
    """Buckets ``inbox`` and ``lake``; tables ``online``, ``registry``, ``metrics`` and ``limits``."""

    def __init__(self, scope: Construct, name: str, deployment: Deployment, **stack: Any) -> None:
        super().__init__(scope, name, **stack)
        self._deployment = deployment
        self._logs = self._bucket("Logs", lifecycle_rules=[_expire(90)])
        expiries = [_expire(30, prefix="drop/"), _expire(PARTS_DAYS, prefix="parts/")]
        self.inbox = self._logged_bucket("Inbox", lifecycle_rules=expiries)
        self.lake = self._logged_bucket("Lake", versioned=True, lifecycle_rules=[_expire_versions(30)])
        _send_events(self.inbox)
        self.tables = {table: self._table(table, sorted_=sort) for table, sort in TABLES.items()}
        CfnOutput(self, "InboxBucket", value=self.inbox.bucket_name)
        CfnOutput(self, "LakeBucket", value=self.lake.bucket_name)
        for table in TABLES:
            CfnOutput(self, f"{table.capitalize()}Table", value=self.tables[table].table_name)

    def _logged_bucket(self, name: str, **options: Any) -> s3.Bucket:
        return self._bucket(
            name, server_access_logs_bucket=self._logs, server_access_logs_prefix=f"{name.lower()}/", **options
        )

    def _bucket(self, name: str, **options: Any) -> s3.Bucket:
        return s3.Bucket(
            self,
            name,
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=self._deployment.enforce_tls,
            removal_policy=RemovalPolicy.RETAIN,
            **options,
        )

    def _table(self, name: str, *, sorted_: bool) -> dynamodb.Table:
        return dynamodb.Table(
            self,
            name.capitalize(),
            partition_key=_text("pk"),
            sort_key=_text("sk") if sorted_ else None,
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            removal_policy=RemovalPolicy.RETAIN,
            time_to_live_attribute="expires_at" if name in EXPIRING else None,
        )


def _text(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)


def _expire(days: int, prefix: str | None = None) -> s3.LifecycleRule:
    return s3.LifecycleRule(prefix=prefix, expiration=Duration.days(days))


def _expire_versions(days: int) -> s3.LifecycleRule:
    return s3.LifecycleRule(
        noncurrent_version_expiration=Duration.days(days), abort_incomplete_multipart_upload_after=Duration.days(7)
    )


def _send_events(bucket: s3.Bucket) -> None:
    """Enable EventBridge by the L1 property; CDK's L2 option would deploy a Lambda function just to set it."""
    resource = cast("s3.CfnBucket", bucket.node.default_child)
    resource.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
        event_bridge_configuration=s3.CfnBucket.EventBridgeConfigurationProperty(event_bridge_enabled=True)
    )
