"""Proves that the command line operates what `smallbox deploy` deployed, with the operators' policy and nothing else.

The account is reached by profile, region and ``AWS_ENDPOINT_URL``: no code knows that an emulator answers. IAM is
enforced. The account has no history: what needs one is done with the same policy in ``test_loop.py``. The tests are one
story and run in their order.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from botocore.exceptions import ClientError

from smallbox.cli import main, stack
from smallbox.cli.contexts import ON, chosen
from smallbox.cli.demo import MODEL
from smallbox.cli.emulator import start_emulator, stop_emulator
from smallbox.cli.local import ACCESS_KEY, SECRET_KEY
from tests.deployed.cloud import REGION, Account, checkout
from tests.deployed.commands import smallbox
from tests.deployed.operated import IN_AN_ACCOUNT, SENT_WRONG

pytestmark = pytest.mark.deployed

DENIED: Final = {
    "status": "cloudwatch:GetMetricData",
    "drop weather fine.jsonl": "s3:PutObject",
    "wait": "sqs:GetQueueAttributes",
    "rebuild weather": "sqs:SendMessage",
    f"train {MODEL}": "states:StartExecution",
    "upkeep": "lambda:InvokeFunction",
    "quarantine list": "s3:ListBucket",
}
"""The action that is missing first for somebody who may only find the stacks, by command line; one for each service."""
FINDS_THE_STACKS: Final = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "cloudformation:DescribeStacks", "Resource": "*"}],
}


def _write_files(folder: Path) -> None:
    """A record that keeps its contract, and one that does not."""
    record = {"observation_id": "q", "observed_at": "2013-01-23T00:00:00Z", "origin": "JFK", "wind_speed": 10.4}
    (folder / "fine.jsonl").write_text(json.dumps(record))
    (folder / "wrong.jsonl").write_text(json.dumps({**record, "wind_speed": 1048.4}))


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """An account to which `smallbox deploy` has deployed, with its owner, an operator, a reader and a stranger."""
    folder = tmp_path_factory.mktemp("account")
    own = checkout(tmp_path_factory.mktemp("checkout"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(own)
        for name in [name for name in os.environ if name.startswith("AWS_")] + [ON]:
            patch.delenv(name, raising=False)
        patch.setattr(stack, "SETTLE_SECONDS", 0.5)  # the emulator counts at once
        emulator = start_emulator()
        try:
            found = Account(emulator.url, folder)
            for name, value in found.environment.items():
                patch.setenv(name, value)
            _settle(found, own)
            yield found
        finally:
            stop_emulator(emulator.pid)


def _settle(account: Account, own: Path) -> None:
    """Bootstrap, deploy, and let people in."""
    account.bootstrap(own)
    account.profile("owner", ACCESS_KEY, SECRET_KEY)
    for name in ("owner", "operator", "reader", "stranger"):
        main.main(["context", "add", name, "--profile", name, "--region", REGION])
    command = [sys.executable, "-m", "smallbox.cli.main", "--on", "owner", "--json", "deploy"]
    deployed = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own command
    assert deployed.returncode == 0, deployed.stderr
    outputs = json.loads(deployed.stdout)
    account.user("operator", outputs["OperatorPolicy"])
    account.user("stranger")
    account.user("reader")
    document = json.dumps(FINDS_THE_STACKS)
    account.client("iam").put_user_policy(UserName="reader", PolicyName="finds", PolicyDocument=document)
    _write_files(own)


def test_it_is_what_aws_would_get(account: Account) -> None:
    """Schedules run, queues gather batches, and the roles of the bootstrap deployed; nothing local is remembered."""
    schedules = account.client("scheduler").list_schedules()["Schedules"]
    assert {schedule["State"] for schedule in schedules} == {"ENABLED"}
    mappings = account.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    assert 5 in {mapping["MaximumBatchingWindowInSeconds"] for mapping in mappings}
    stacks = account.client("cloudformation").describe_stacks()["Stacks"]
    assert {"CDKToolkit", "SmallboxStores", "SmallboxPipeline"} <= {found["StackName"] for found in stacks}
    assert not list(Path(".smallbox").glob("local.json"))


@pytest.mark.parametrize("command", IN_AN_ACCOUNT)
def test_an_operator_reaches_every_service(account: Account, command: str) -> None:
    """Commands work with the one policy; a record against its contract is answered with the rule, and waits."""
    said = smallbox("operator", f"{command} {IN_AN_ACCOUNT[command]}")
    assert said.code == int(command == SENT_WRONG), said.error
    assert "warning" not in said.document
    if command == SENT_WRONG:
        assert said.document["rejected"][0]["rule"] == "maximum"
    if command == "quarantine list":
        assert [batch["count"] for batch in said.document["waiting"]] == [1]
    if command == "drop":
        assert (said.document["accepted"], said.document["rejected"]) == (1, 0)


def test_a_past_moment_is_refused_as_on_aws(account: Account) -> None:
    """The deployment has the setting of AWS, and says so."""
    said = smallbox("operator", "send weather fine.jsonl --as-of 2013-01-23T00:00:00Z")
    assert said.code == 1
    assert "as_of 'refused'" in said.error


def test_a_stranger_can_do_nothing(account: Account) -> None:
    """Without the policy not even the stacks are found, which is what every command begins with."""
    said = smallbox("stranger", "status")
    assert (said.code, said.document["error"]["code"]) == (1, "forbidden")
    assert "cloudformation:DescribeStacks" in said.error


@pytest.mark.parametrize("line", DENIED)
def test_a_denial_names_the_action(account: Account, line: str) -> None:
    """Whoever may only find the stacks is told what is missing next."""
    said = smallbox("reader", line)
    assert (said.code, said.document["error"]["code"]) == (1, "forbidden")
    assert DENIED[line].lower() in said.error.lower()
    assert "OperatorPolicy" in said.error


def test_an_operator_can_do_no_more(account: Account) -> None:
    """The lake's tables, the stores' documents, the functions of the stages and other people's rights stay closed."""
    outputs = stack.Stack.of(chosen("operator")).outputs
    client = stack.Stack.of(chosen("operator")).client
    lake, key = outputs["LakeBucket"], {"pk": {"S": "a"}, "sk": {"S": "b"}}
    refused: list[Callable[[], Any]] = [
        lambda: client("s3").list_objects_v2(Bucket=lake, Prefix="tables/"),
        lambda: client("s3").put_object(Bucket=lake, Key="quarantine/x", Body=b""),
        lambda: client("s3").delete_object(Bucket=lake, Key="tables/records/weather/x"),
        lambda: client("dynamodb").get_item(TableName=outputs["RegistryTable"], Key=key),
        lambda: client("sqs").receive_message(QueueUrl=outputs["EventsQueue"]),
        lambda: client("lambda").list_functions(),
        lambda: client("iam").list_users(),
    ]
    for call in refused:
        with pytest.raises(ClientError, match=r"AccessDenied|not authorized"):
            call()


def test_another_region_has_no_such_stack(account: Account) -> None:
    """The sentence names the region that was asked."""
    said = smallbox("owner/us-east-1", "status")
    assert said.code == 1
    assert "no stack SmallboxStores in us-east-1" in said.error


def test_a_key_that_does_not_exist_is_no_missing_permission(account: Account) -> None:
    """The sentence is about the credentials."""
    account.profile("gone", "AKIAAAAAAAAAAAAAAAAA", "a secret")
    assert "AWS refuses the credentials" in smallbox(f"gone/{REGION}", "status").error
