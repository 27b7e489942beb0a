"""IAM roles with exactly the grants of ``grants.py``."""

from collections.abc import Mapping, Sequence

from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.grant import Grant
from infra.grants import grants_of
from infra.suppressions import acknowledge_wildcards


class Arns:
    """Maps names of resources, as in ``grants.py``, to ARNs."""

    def __init__(self, known: Mapping[str, str] | None = None) -> None:
        self._known = {"*": "*", **(known or {})}

    def add(self, name: str, arn: str) -> None:
        """Add a resource."""
        self._known[name] = arn

    def having(self, own: Mapping[str, str]) -> "Arns":
        """A copy with additional resources."""
        return Arns({**self._known, **own})

    def of(self, on: str) -> str:
        """The ARN of a grant's resource; for a bucket, the part after the first slash is the key."""
        if on in self._known:
            return self._known[on]
        name, slash, path = on.partition("/")
        return self._known[name] + slash + path


def exact_role(scope: Construct, principal: str, service: str, arns: Arns) -> iam.IRole:
    """The role of a function, machine or schedule, with the grants of ``grants.py`` only.

    Policies that CDK constructs would add to it are ignored.
    """
    grants = [(grant, arns.of(grant.on)) for grant in grants_of(principal)]
    statements = [_statement(grant, arn) for grant, arn in grants]
    role = iam.Role(
        scope,
        "Role",
        assumed_by=iam.ServicePrincipal(f"{service}.amazonaws.com"),
        inline_policies={"grants": iam.PolicyDocument(statements=statements)},
    )
    acknowledge_wildcards(role, grants)
    return role.without_policy_updates()


def exact_policy(scope: Construct, name: str, grants: Sequence[Grant], arns: Arns, about: str) -> iam.ManagedPolicy:
    """A managed policy with these grants, to be attached to whoever needs them."""
    found = [(grant, arns.of(grant.on)) for grant in grants]
    # minimized: a managed policy has at most 6,144 characters
    document = iam.PolicyDocument(statements=[_statement(grant, arn) for grant, arn in found], minimize=True)
    policy = iam.ManagedPolicy(scope, name, document=document, description=about)
    acknowledge_wildcards(policy, found)
    return policy


def _statement(grant: Grant, arn: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=list(grant.actions), resources=[arn], conditions=_conditions(grant))


def _conditions(grant: Grant) -> dict[str, dict[str, object]] | None:
    if grant.namespace:
        # IfExists: AWS always sends this key with PutMetricData, so it allows no more; the emulator never sends it
        return {"StringEqualsIfExists": {"cloudwatch:namespace": grant.namespace}}
    if grant.prefixes:
        # IfExists: GetObject sends no prefix; with plain StringLike a missing object would be a 403 (decision 0020)
        return {"StringLikeIfExists": {"s3:prefix": list(grant.prefixes)}}
    return None
