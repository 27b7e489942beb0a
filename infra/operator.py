"""The managed policy of operators: what the command line may do with a deployment."""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam

from infra.grants import OPERATOR
from infra.parts.flow import Flow
from infra.parts.roles import exact_policy


def operator_policy(scope: Stack, flow: Flow) -> iam.ManagedPolicy:
    """Create the policy after everything that it names."""
    stacks = {"stack:stores": flow.stores.stack_name, "stack:pipeline": scope.stack_name}
    for name, stack in stacks.items():
        flow.arns.add(name, scope.format_arn(service="cloudformation", resource="stack", resource_name=stack))
    return exact_policy(scope, "Operator", OPERATOR, flow.arns, "Operate Smallbox with its command line")
