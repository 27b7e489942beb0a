"""A deployment that lets requests name a past moment has a stage for them, and a grant on that stage alone."""

import json
from typing import Any, Final

import pytest
from aws_cdk import App, Stack
from aws_cdk.assertions import Template

from infra.deployment import Deployment
from infra.parts.api import Api
from infra.parts.roles import Arns, exact_policy
from infra.people_grants import AS_OF, OPERATOR
from smallbox.aws.replays import ALLOWED, AS_OF_STAGE, GRANTED, REFUSED
from smallbox.aws.settings import VARIABLE_PREFIX
from smallbox.errors import DefinitionError
from tests.infra.templates import Assembly

_VARIABLE: Final = f"{VARIABLE_PREFIX}AS_OF"


def _settings(assembly: Assembly) -> set[str]:
    functions = assembly.properties("AWS::Lambda::Function").values()
    found = [function["Environment"]["Variables"] for function in functions]
    return {variables[_VARIABLE] for variables in found if _VARIABLE in variables}


def test_aws_refuses_it_and_this_machine_allows_it(aws: Assembly, local: Assembly) -> None:
    """Unless the settings say otherwise; the usual API has one stage."""
    assert (_settings(aws), _settings(local)) == ({REFUSED}, {ALLOWED})
    assert [len(one.of_type("AWS::ApiGatewayV2::Stage")) for one in (aws, local)] == [1, 1]


def test_aws_never_allows_it_to_everybody() -> None:
    """There it takes a grant."""
    assert Deployment.aws({"as_of": GRANTED}).as_of == GRANTED
    with pytest.raises(DefinitionError, match="this machine only"):
        Deployment.aws({"as_of": ALLOWED})
    with pytest.raises(DefinitionError, match="must be one of"):
        Deployment.aws({"as_of": "yes"})


@pytest.fixture(scope="module")
def granted() -> Template:
    """The API of such a deployment, and the policy."""
    stack = Stack(App(), "Granted")
    api = Api(stack, "api", with_as_of=True)
    exact_policy(stack, "AsOf", AS_OF, Arns({"api": api.arn}), "about")
    return Template.from_stack(stack)


def test_its_stage_is_throttled_and_logged_as_the_other(granted: Template) -> None:
    """A second door is no weaker one."""
    stages = [found["Properties"] for found in granted.find_resources("AWS::ApiGatewayV2::Stage").values()]
    assert {stage["StageName"] for stage in stages} == {"$default", AS_OF_STAGE}
    assert len({json.dumps(stage["DefaultRouteSettings"]) for stage in stages}) == 1
    assert all('"stage":"$context.stage"' in stage["AccessLogSettings"]["Format"].replace(" ", "") for stage in stages)


def test_its_policy_grants_the_two_routes_of_that_stage(granted: Template) -> None:
    """And an operator has neither."""
    (policy,) = granted.find_resources("AWS::IAM::ManagedPolicy").values()
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Action"] == "execute-api:Invoke"
    ends = {_text(one).partition(f"/{AS_OF_STAGE}/")[2] for one in statement["Resource"]}
    assert ends == {"POST/events/*", "POST/models/*"}
    assert not any(f"/{AS_OF_STAGE}/" in grant.on for grant in OPERATOR)


def _text(arn: dict[str, Any]) -> str:
    return "".join(part for part in arn["Fn::Join"][1] if isinstance(part, str))
