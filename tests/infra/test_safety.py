"""What is kept is safe, what is reached is authorized, and the rules of cdk-nag hold."""

from typing import Any

import pytest

from infra.grant import Grant
from infra.grants import EVERY_FUNCTION, GRANTS, grants_of
from tests.infra.templates import Assembly, as_list, mentioned


def test_buckets_are_encrypted_private_and_kept(aws: Assembly) -> None:
    """No bucket is public, plain, or gone with its stack."""
    buckets = aws.of_type("AWS::S3::Bucket")
    assert len(buckets) == 3
    for name, bucket in buckets.items():
        properties = bucket["Properties"]
        assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}, name
        assert properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert bucket["DeletionPolicy"] == bucket["UpdateReplacePolicy"] == "Retain"


@pytest.mark.parametrize(
    ("kind", "policy", "field"),
    [
        ("AWS::S3::Bucket", "AWS::S3::BucketPolicy", "Bucket"),
        ("AWS::SQS::Queue", "AWS::SQS::QueuePolicy", "Queues"),
        ("AWS::SNS::Topic", "AWS::SNS::TopicPolicy", "Topics"),
    ],
)
def test_plain_http_is_refused(aws: Assembly, kind: str, policy: str, field: str) -> None:
    """Buckets, queues and topics answer over TLS only."""
    protected = {
        mentioned(resource)
        for found in aws.properties(policy).values()
        for resource in as_list(found[field])
        if any(_denies_plain_http(statement) for statement in found["PolicyDocument"]["Statement"])
    }
    assert protected == set(aws.of_type(kind))


def _denies_plain_http(statement: dict[str, Any]) -> bool:
    secure = statement.get("Condition", {}).get("Bool", {}).get("aws:SecureTransport")
    return bool(statement["Effect"] == "Deny" and secure == "false")


def test_tables_recover_to_any_second_and_are_kept(aws: Assembly) -> None:
    """A table survives a bad write and its stack."""
    tables = aws.of_type("AWS::DynamoDB::Table")
    assert len(tables) == 4
    for name, table in tables.items():
        assert table["Properties"]["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], name
        assert table["Properties"]["BillingMode"] == "PAY_PER_REQUEST"
        assert table["DeletionPolicy"] == "Retain"


def test_every_route_asks_for_a_signature(aws: Assembly) -> None:
    """No route is open."""
    routes = aws.properties("AWS::ApiGatewayV2::Route")
    assert len(routes) == 21
    assert {route["AuthorizationType"] for route in routes.values()} == {"AWS_IAM"}


def test_a_grant_on_everything_has_a_reason_or_is_refused() -> None:
    """A wildcard without a reason, or in an action, does not get as far as a template."""
    assert all(grant.reason for principal in GRANTS for grant in grants_of(principal) if "*" in grant.on)
    with pytest.raises(ValueError, match="needs a reason"):
        Grant("*", ("s3:GetObject",))
    with pytest.raises(ValueError, match="one by one"):
        Grant("queue:events", ("sqs:*",))
    assert all(grant.on != "*" for grant in EVERY_FUNCTION)


def test_cdk_nag_accepts_the_app(aws: Assembly) -> None:
    """The AwsSolutions rules find nothing that is not accepted with a reason."""
    (report,) = aws.report["pluginReports"]
    assert report["pluginName"] == "AwsSolutions"
    assert report["conclusion"] == "success"
    assert report["violations"] == []
    assert all(accepted["reason"] for accepted in report["suppressedViolations"])
