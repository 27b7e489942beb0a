"""Proves that what AWS refuses is said in one sentence, with what to do."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    ProfileNotFound,
    UnauthorizedSSOTokenError,
)
from botocore.stub import Stubber

from smallbox.cli import main
from smallbox.cli.aws_errors import in_words
from smallbox.cli.checkout import MARK
from smallbox.cli.contexts import PIPELINE_STACK, STORES_STACK, Context
from smallbox.cli.stack import Stack
from smallbox.cli.system import System
from smallbox.errors import Forbidden, NotFound, NotReady, Unavailable

PROD = Context("prod", "work", "eu-central-1")
ARN = "arn:aws:sqs:eu-central-1:1:events"


def _refused(code: str, message: str = "", operation: str = "DoSomething") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (_refused("ExpiredToken"), r"have expired or are wrong.*aws sso login --profile work"),
        (_refused("InvalidClientTokenId"), "have expired or are wrong"),
        (UnauthorizedSSOTokenError(), "have expired"),
        (NoCredentialsError(), "no AWS credentials for profile 'work' in eu-central-1"),
        (ProfileNotFound(profile="work"), r"context 'prod'.*\(work\) could not be found"),
        (NoRegionError(), "context 'prod' has no valid region"),
        (
            EndpointConnectionError(endpoint_url="https://sqs.x"),
            r"profile 'work' in eu-central-1 the right region",
        ),
        (_refused("ThrottlingException", "Rate exceeded"), "AWS answered with an error.*Rate exceeded"),
    ],
)
def test_each_refusal_says_what_to_do(error: Exception, said: str) -> None:
    """Expired or absent credentials, no such profile, a wrong region, and whatever else AWS answers."""
    found = in_words(error, PROD)
    assert found is not None
    with pytest.raises(type(found), match=said):
        raise found


@pytest.mark.parametrize(
    ("error", "action", "resource"),
    [
        (
            _refused("AccessDenied", f"User u is not authorized to perform: sqs:sendmessage on resource: {ARN}"),
            "sqs:sendmessage", ARN,
        ),
        (_refused("AccessDenied", "Access Denied", "ListObjectsV2"), "s3:ListBucket", ""),
        (_refused("AccessDenied", "Access Denied", "CreateMultipartUpload"), "s3:PutObject", ""),
        (_refused("403", "Forbidden", "HeadObject"), "s3:GetObject", ""),
    ],
)  # fmt: skip
def test_a_denial_names_the_missing_action(error: Exception, action: str, resource: str) -> None:
    """As AWS names it, else from the operation; with the policy that grants it."""
    denied = in_words(error, PROD)
    assert isinstance(denied, Forbidden)
    assert denied.details == {"action": action, "resource": resource}
    assert action in denied.message
    assert "OperatorPolicy" in denied.message


def test_a_denial_behind_our_own_error_is_said() -> None:
    """An adapter's error hides what AWS said; other causes keep the adapter's sentence."""
    for code, found in (("AccessDenied", Forbidden), ("SlowDown", type(None))):
        own = Unavailable("S3 did not answer")
        own.__cause__ = _refused(code, operation="GetObject")
        assert type(in_words(own, PROD)) is found


def test_a_denied_upload_is_a_denial() -> None:
    """boto3 wraps what S3 said of an upload in an error of its own."""

    def upload() -> None:
        try:
            raise _refused("AccessDenied", operation="PutObject")
        except ClientError as error:
            raise S3UploadFailedError(str(error))  # noqa: B904 - as boto3 does

    with pytest.raises(S3UploadFailedError) as failed:
        upload()
    denied = in_words(failed.value, PROD)
    assert isinstance(denied, Forbidden)
    assert denied.details["action"] == "s3:PutObject"


def test_errors_of_our_own_and_bugs_are_left_alone() -> None:
    """They are not AWS's."""
    assert in_words(NotFound("no such model"), PROD) is None
    assert in_words(KeyError("a bug"), PROD) is None


@pytest.fixture
def cloudformation(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Stack, Stubber]]:
    """A stack whose CloudFormation a test plays, with credentials that are good nowhere."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    stack = Stack.of(Context("prod", region="eu-central-1"))
    client = stack.client("cloudformation")
    monkeypatch.setattr(Stack, "client", lambda *_: client)
    with Stubber(client) as stubber:
        yield stack, stubber


def _stack(name: str, **outputs: str) -> Any:
    listed = [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]
    base = {"StackName": name, "CreationTime": "2024-01-01T00:00:00Z", "StackStatus": "CREATE_COMPLETE"}
    return {"Stacks": [{**base, "Outputs": listed}]}


def test_outputs_come_from_both_stacks(cloudformation: tuple[Stack, Stubber]) -> None:
    """By describing them, each once."""
    stack, stubber = cloudformation
    stubber.add_response("describe_stacks", _stack(STORES_STACK, LakeBucket="lake"), {"StackName": STORES_STACK})
    stubber.add_response("describe_stacks", _stack(PIPELINE_STACK, ApiUrl="https://a"), {"StackName": PIPELINE_STACK})
    assert stack.outputs == {"LakeBucket": "lake", "ApiUrl": "https://a"}
    assert stack.api_url == "https://a"
    keys = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}
    assert stack.environment() == dict.fromkeys(keys, "testing") | dict.fromkeys(
        ("AWS_REGION", "AWS_DEFAULT_REGION"), "eu-central-1"
    )


def test_no_such_stack_says_how_to_deploy(cloudformation: tuple[Stack, Stubber]) -> None:
    """With the region that was asked; a deployment that has none yet has no API."""
    stack, stubber = cloudformation
    for _ in range(2):
        stubber.add_client_error("describe_stacks", "ValidationError", f"Stack with id {STORES_STACK} does not exist")
    with pytest.raises(NotReady, match=r"no stack SmallboxStores in eu-central-1.*smallbox --on prod deploy"):
        _ = stack.outputs
    assert stack.api() is None


def test_a_first_deployment_that_failed_has_no_api(cloudformation: tuple[Stack, Stubber]) -> None:
    """The stacks are there, the output is not."""
    stack, stubber = cloudformation
    for name in stack.context.stacks:
        stubber.add_response("describe_stacks", _stack(name))
    assert stack.api() is None


def test_an_api_that_is_denied_is_not_taken_for_none(cloudformation: tuple[Stack, Stubber]) -> None:
    """Nothing may be deployed unchecked because the question was refused."""
    stack, stubber = cloudformation
    stubber.add_client_error("describe_stacks", "AccessDenied", "no")
    with pytest.raises(ClientError):
        stack.api()


@pytest.mark.parametrize(
    ("message", "said"),
    [("Forbidden", "lack execute-api:Invoke on GET /models"), ("The security token is expired", "Sign in again")],
)
def test_a_route_that_is_refused_names_the_action(message: str, said: str) -> None:
    """The gateway refuses without a code of ours: the permission is missing, or the credentials are not good."""

    class _Gateway:
        http: Any = None
        client: Any = print

        def request(self, *_: object) -> tuple[int, object]:
            return 403, {"message": message}

    gateway = _Gateway()
    gateway.http = gateway
    stack: Any = gateway
    with pytest.raises(Forbidden, match=said):
        System(stack).request("GET", "/models")


def test_the_command_line_says_it_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A profile that is not there is no stack trace."""
    (tmp_path / MARK).touch()
    monkeypatch.chdir(tmp_path)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    assert main.main(["status", "--on", "nobody/eu-central-1"]) == 1
    assert capsys.readouterr().err.startswith("smallbox: context 'nobody/eu-central-1': The config profile (nobody)")
