"""Proves that the command line operates what `smallbox deploy` deployed, with the operators' policy and nothing else.

The account is reached by profile, region and ``AWS_ENDPOINT_URL``: no code knows that an emulator answers. IAM is
enforced. The tests are one story and run in their order.
"""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from botocore.exceptions import ClientError

from smallbox.cli import main, stack
from smallbox.cli.contexts import ON, chosen
from smallbox.cli.demo import MODEL
from smallbox.cli.demo.flights import load_flights
from smallbox.cli.emulator import start_emulator, stop_emulator
from smallbox.cli.local import ACCESS_KEY, SECRET_KEY
from smallbox.define.project import load as load_project
from smallbox.times import DAY, day_of, format_moment
from tests.deployed.cloud import REGION, Account, checkout
from tests.deployed.conftest import START, known_by
from tests.unit.cli.samples import CALLS

pytestmark = pytest.mark.deployed

NOW: Final = format_moment(START)
MIDNIGHT: Final = format_moment(START + DAY)

WITHOUT_A_SYSTEM: Final = {"check", "contract infer", "context add", "context list", "context use", "context remove"}
HERE_ALONE: Final = {"up", "down", "demo", "replay"}
LINES: Final = {
    "status": "",
    "contract show": "--fetch",
    "send": "departures flights.jsonl",
    "wait": "--timeout 300",
    "rebuild": f"weather --as-of {NOW}",
    "backfill": f"carrier --as-of {NOW}",
    "upkeep": f"--as-of {NOW}",
    "models": MODEL,
    "predict": f"{MODEL} flights.jsonl --as-of {NOW}",
    "score": f"{MODEL} flights.csv",
    "day": f"{MODEL} --as-of {MIDNIGHT}",
    "monitor show": f"{MODEL} {day_of(START)}",
    "quarantine list": "weather",
    "quarantine show": "weather",
    "quarantine replay": "weather",
}
"""What works, by command; files are in the current folder."""
REFUSED_IN_WORDS: Final = {
    "release": (f"{MODEL} roll-back --why tested", "the change of the release failed"),
    "monitor accept": (f"{MODEL} --why tested", "needs a whole week"),
}
"""What the function that is asked refuses, by command: so it was asked."""
UNTIL_STOPPED: Final = {"proxy"}
"""What runs until it is interrupted; the tests of the protocol's clients start it."""
STORY: Final = {"deploy", "drop", "train"}
"""What the story begins with."""

DENIED: Final = {
    "status": "execute-api:Invoke",
    "send departures flights.jsonl": "execute-api:Invoke",
    "drop weather weather.jsonl": "s3:PutObject",
    "wait": "sqs:GetQueueAttributes",
    "rebuild weather": "sqs:SendMessage",
    "backfill": "states:StartExecution",
    f"train {MODEL}": "states:StartExecution",
    "upkeep": "lambda:InvokeFunction",
    f"release {MODEL} roll-back --why tested": "lambda:InvokeFunction",
    "quarantine list": "s3:ListBucket",
}
"""The action that is missing first for somebody who may only find the stacks, by command line."""
FINDS_THE_STACKS: Final = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "cloudformation:DescribeStacks", "Resource": "*"}],
}


@dataclass(frozen=True, slots=True)
class Said:
    """What a command returned: its exit code, its document, and what it wrote to standard error."""

    code: int
    document: Any
    error: str


def _smallbox(on: str, line: str) -> Said:
    out, error = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(error):
        code = main.main(["--on", on, "--json", *line.split()])
    return Said(code, json.loads(out.getvalue()), error.getvalue())


def _write_files(folder: Path) -> None:
    """The history of each source, known by the start; and the small files that the lines name."""
    records = load_flights()
    for name, source in load_project().sources.items():
        known_by(source, getattr(records, name), START).to_parquet(folder / f"{name}.parquet", index=False)
    flights = records.departures[records.departures["scheduled_at"] >= NOW].iloc[:20]
    texts = flights.assign(scheduled_at=flights["scheduled_at"].dt.strftime("%Y-%m-%dT%H:%M:%SZ"))
    texts.to_csv(folder / "flights.csv", index=False)
    texts.to_json(folder / "flights.jsonl", orient="records", lines=True)
    wrong = {"observation_id": "q", "observed_at": NOW, "origin": "JFK", "wind_speed": 1048.4}
    (folder / "weather.jsonl").write_text(json.dumps(wrong))


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
    account.user("operator", outputs["OperatorPolicy"], outputs["AsOfPolicy"])
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


@pytest.mark.parametrize("source", load_project().sources)
def test_an_operator_loads_history(account: Account, source: str) -> None:
    """A dropped file goes through S3's own trigger, and its report comes back."""
    said = _smallbox("operator", f"drop {source} {source}.parquet --as-of {NOW}")
    assert said.code == 0, said.error
    assert said.document["rejected"] == 0
    assert said.document["accepted"] > 400


def test_an_operator_trains(account: Account) -> None:
    """The machine runs, the gate accepts the version, and it serves."""
    said = _smallbox("operator", f"train {MODEL} --as-of {NOW}")
    assert said.code == 0, said.error
    assert said.document["accepted"]


def test_an_operator_sets_records_aside(account: Account) -> None:
    """A record against the contract is answered with its reason; quarantine has it for the commands below."""
    said = _smallbox("operator", f"send weather weather.jsonl --as-of {NOW}")
    assert (said.code, said.document["rejected"][0]["rule"]) == (1, "maximum")


@pytest.mark.parametrize("command", LINES)
def test_an_operator_can_do_everything(account: Account, command: str) -> None:
    """Each command that speaks to a system works, with the one policy."""
    said = _smallbox("operator", f"{command} {LINES[command]}")
    is_rejected_again = command == "quarantine replay" and len(said.document["rejected"]) == 1
    assert said.code == int(is_rejected_again), said.error
    assert "warning" not in said.document


@pytest.mark.parametrize("command", REFUSED_IN_WORDS)
def test_an_operator_reaches_the_functions_that_decide(account: Account, command: str) -> None:
    """They refuse what they are asked here, in their own words."""
    line, words = REFUSED_IN_WORDS[command]
    said = _smallbox("operator", f"{command} {line}")
    assert said.code == 1
    assert words in said.error


@pytest.mark.parametrize("command", sorted(HERE_ALONE))
def test_what_needs_this_machine_says_so(account: Account, command: str) -> None:
    """In one sentence; nothing is started."""
    said = _smallbox("operator", f"{command} {CALLS[command]}")
    assert (said.code, said.error.count("\n")) == (1, 1)
    assert "works on this machine only" in said.error


def test_every_command_is_in_one_of_the_lists() -> None:
    """A new command fails here until it is said what an operator needs for it."""
    known = {*LINES, *REFUSED_IN_WORDS, *STORY, *WITHOUT_A_SYSTEM, *HERE_ALONE, *UNTIL_STOPPED}
    assert known == set(CALLS)


@pytest.mark.parametrize("line", [*DENIED, f"models {MODEL}", "contract show --fetch"])
def test_a_stranger_can_do_nothing(account: Account, line: str) -> None:
    """Without the policy not even the stacks are found; the sentence names the action."""
    said = _smallbox("stranger", line)
    assert (said.code, said.document["error"]["code"]) == (1, "forbidden")
    assert "cloudformation:DescribeStacks" in said.error


@pytest.mark.parametrize("line", DENIED)
def test_a_denial_names_the_action(account: Account, line: str) -> None:
    """Whoever may only find the stacks is told what is missing next."""
    said = _smallbox("reader", line)
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
    said = _smallbox("owner/us-east-1", "status")
    assert said.code == 1
    assert "no stack SmallboxStores in us-east-1" in said.error


def test_credentials_that_are_not_good_are_told_apart(account: Account) -> None:
    """A key that does not exist is no missing permission; a profile that does not exist is no missing key."""
    account.profile("gone", "AKIAAAAAAAAAAAAAAAAA", "a secret")
    assert "AWS refuses the credentials" in _smallbox(f"gone/{REGION}", "status").error
    assert "could not be found" in _smallbox(f"nobody/{REGION}", "status").error
