"""Managed policies for people: of operators, and of who may let requests name a past moment."""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam

from infra.parts.flow import Flow
from infra.parts.roles import exact_policy
from infra.people_grants import AS_OF, OPERATOR


def operator_policy(scope: Stack, flow: Flow) -> iam.ManagedPolicy:
    """Create the policy after everything that it names."""
    stacks = {"stack:stores": flow.stores.stack_name, "stack:pipeline": scope.stack_name}
    for name, stack in stacks.items():
        flow.arns.add(name, scope.format_arn(service="cloudformation", resource="stack", resource_name=stack))
    return exact_policy(scope, "Operator", OPERATOR, flow.arns, "Operate Smallbox with its command line")


def as_of_policy(scope: Stack, flow: Flow) -> iam.ManagedPolicy:
    """Create the policy of requests with ``as_of``."""
    return exact_policy(scope, "AsOf", AS_OF, flow.arns, "Let requests to Smallbox name a past moment")
