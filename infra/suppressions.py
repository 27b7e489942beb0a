"""Accepted findings of cdk-nag, each with its reason."""

from collections.abc import Sequence
from typing import Any

from aws_cdk import Acknowledgment, Stack, Validations
from constructs import Construct

from infra.grant import Grant

_PACK = "AwsSolutions::AwsSolutions"


def acknowledge_pipeline(pipeline: Stack) -> None:
    """Accept findings that apply to the whole pipeline."""
    Validations.of(pipeline).acknowledge(
        Acknowledgment(
            id=f"{_PACK}-L1",
            reason="python3.13 is the newest runtime for which every pinned wheel exists",
        ),
        Acknowledgment(
            id=f"{_PACK}-SF2",
            reason="executions log every step with its data; X-Ray would cost per trace and add nothing to that",
        ),
    )


def acknowledge_wildcards(holder: Construct, grants: Sequence[tuple[Grant, str]]) -> None:
    """Accept the wildcard resources that ``grants.py`` declares, with the reasons given there.

    Args:
        holder: the role or the managed policy.
        grants: its grants, each with the ARN of its resource.
    """
    for grant, arn in grants:
        if "*" in grant.on:
            finding = f"{_PACK}-IAM5[Resource::{_as_nag_writes_it(holder, arn)}]"
            Validations.of(holder).acknowledge(Acknowledgment(id=finding, reason=grant.reason))


def _as_nag_writes_it(scope: Construct, arn: str) -> str:
    """An ARN as cdk-nag writes it: one of the other stack is the name of its import, followed by the key."""
    resolved = Stack.of(scope).resolve(arn)
    if isinstance(resolved, str):
        return resolved
    return "".join(_part_of_arn(part) for part in resolved["Fn::Join"][1])


def _part_of_arn(part: Any) -> str:
    if isinstance(part, str):
        return part
    if "Fn::GetAtt" in part:
        return f"<{'.'.join(part['Fn::GetAtt'])}>"
    return f"<{part['Ref']}>" if "Ref" in part else str(part["Fn::ImportValue"])
