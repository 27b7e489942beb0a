"""The managed policy of operators is the table of grants, and fits into what AWS allows."""

import json
from collections.abc import Mapping
from typing import Any, Final

import pytest

from infra.deployment import Deployment
from infra.people_grants import OPERATOR
from tests.infra.templates import Assembly, as_list, mentioned

_MOST_CHARACTERS: Final = 6144
"""What AWS allows in a managed policy, spaces left out."""
_LONGEST_NAME: Final = "x" * 64


@pytest.fixture(scope="module")
def policy(aws: Assembly) -> Mapping[str, Any]:
    """The one managed policy."""
    (found,) = aws.properties("AWS::IAM::ManagedPolicy").values()
    return found


def _statements(policy: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    statements: list[Mapping[str, Any]] = policy["PolicyDocument"]["Statement"]
    return statements


def test_it_grants_the_actions_of_the_table_and_no_more(policy: Mapping[str, Any]) -> None:
    """On as many resources each as the table names, and on everything only figures, which have no resource to name."""
    expected = [action for grant in OPERATOR for action in grant.actions]
    found = [a for s in _statements(policy) for a in as_list(s["Action"]) for _ in as_list(s["Resource"])]
    assert sorted(found) == sorted(expected)
    assert all(statement["Effect"] == "Allow" for statement in _statements(policy))
    everything = [statement["Action"] for statement in _statements(policy) if "*" in as_list(statement["Resource"])]
    assert everything == ["cloudwatch:GetMetricData"]


def test_it_is_attached_to_nobody(policy: Mapping[str, Any]) -> None:
    """Who operates is decided by whoever owns the account."""
    assert not {"Users", "Roles", "Groups"} & policy.keys()


def test_it_lists_only_under_prefixes(policy: Mapping[str, Any]) -> None:
    """Neither bucket may be listed whole."""
    listed = [statement for statement in _statements(policy) if "s3:ListBucket" in as_list(statement["Action"])]
    assert len(listed) == 2
    assert all(statement["Condition"]["StringLikeIfExists"]["s3:prefix"] for statement in listed)


def test_it_is_short_enough(policy: Mapping[str, Any]) -> None:
    """Also with long names in place of what CloudFormation fills in: at most 64 characters each, more than usual."""
    assert len(json.dumps(_filled(policy["PolicyDocument"]), separators=(",", ":"))) < _MOST_CHARACTERS


def _filled(value: Any) -> Any:
    """A value of a template with names filled in."""
    if isinstance(value, list):
        return [_filled(one) for one in value]
    if not isinstance(value, Mapping):
        return value
    if "Fn::Join" in value:
        return "".join(_filled(part) for part in value["Fn::Join"][1])
    if "Ref" in value:
        known = {"AWS::Partition": "aws", "AWS::Region": "ap-southeast-1", "AWS::AccountId": "1" * 12}
        return known.get(value["Ref"], _LONGEST_NAME)
    if "Fn::GetAtt" in value or "Fn::ImportValue" in value:
        is_name = value.get("Fn::GetAtt", ("", ""))[1] == "Name"
        return _LONGEST_NAME if is_name else f"arn:aws:lambda:ap-southeast-1:{'1' * 12}:function:{_LONGEST_NAME}"
    return {name: _filled(inner) for name, inner in value.items()}


def test_the_output_is_the_policy(aws: Assembly) -> None:
    """Its ARN is what is attached."""
    assert mentioned(aws.outputs["OperatorPolicy"]) in aws.of_type("AWS::IAM::ManagedPolicy")


def test_a_setting_is_changed_by_name() -> None:
    """One that there is; the others stay as they are."""
    assert Deployment.aws({"snap_start": True}).snap_start
    assert Deployment.aws({}) == Deployment.aws()
    with pytest.raises(TypeError, match="no_such_setting"):
        Deployment.aws({"no_such_setting": 1})
