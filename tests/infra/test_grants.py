"""What each role may do on each resource: the table of grants, and apart from it what each store is meant for."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import pytest

from infra.grant import Grant
from infra.grants import GRANTS, grants_of
from smallbox.profiles.store import ProfileStore
from tests.fakes.edges import FakeBlobs
from tests.infra.grants import Granted, Names, granted
from tests.infra.meant_for import (
    BLOB_DELETERS,
    BLOB_READERS,
    BLOB_WRITERS,
    SENDERS,
    TABLE_READERS,
    TABLE_WRITERS,
    UPKEEP,
)
from tests.infra.templates import Assembly, mentioned

READS: Final = {"s3:GetObject", "s3:ListBucket", "dynamodb:GetItem", "dynamodb:Query", "dynamodb:BatchGetItem"}
RECEIVES: Final = {
    "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes",
}  # fmt: skip
ON_EVERYTHING: Final = {
    "logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery", "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:DescribeResourcePolicies", "logs:DescribeLogGroups",
}  # fmt: skip
"""What Step Functions asks for to log an execution; these actions have no resource to name."""


@pytest.fixture(scope="module")
def roles(aws: Assembly) -> set[Granted]:
    """Everything that the roles may do on AWS."""
    return granted(aws)


def _holders(roles: set[Granted], on: str, *actions: str) -> dict[str, set[str]]:
    """Who may do one of the actions, by resource."""
    found: dict[str, set[str]] = defaultdict(set)
    for one in roles:
        if one.action in actions and one.on.startswith(on):
            found[one.on].add(one.who)
    return dict(found)


def _of(roles: set[Granted], who: str) -> set[tuple[str, str]]:
    """What somebody may do, apart from writing the own log."""
    return {(one.action, one.on) for one in roles if one.who == who and not one.on.startswith("logs:")}


def _declared(who: str) -> set[Granted]:
    found = set()
    for grant in grants_of(who):
        limits = [("StringLikeIfExists", "s3:prefix", prefix) for prefix in grant.prefixes]
        limits += [("StringEqualsIfExists", "cloudwatch:namespace", name) for name in [grant.namespace] if name]
        on = grant.on.replace("logs:self", f"logs:{who}")
        found |= {Granted(who, action, on, tuple(limits)) for action in grant.actions}
    return found


def test_each_role_is_granted_its_rows_of_the_table_and_no_more(aws: Assembly, roles: set[Granted]) -> None:
    """Role by role, the template has the declared action on the declared resource under the declared condition."""
    assert not aws.of_type("AWS::IAM::Policy")
    assert not any("ManagedPolicyArns" in role for role in aws.properties("AWS::IAM::Role").values())
    assert {statement["Effect"] for _, statement in aws.statements()} == {"Allow"}
    assert set(Names(aws).roles) == set(aws.of_type("AWS::IAM::Role"))
    assert {one.who for one in roles} == set(GRANTS)
    for who in GRANTS:
        assert {one for one in roles if one.who == who} == _declared(who), who


def test_a_role_may_be_assumed_by_its_own_service_alone(aws: Assembly) -> None:
    """Lambda takes the roles of functions, Step Functions those of machines, the scheduler those of schedules."""
    services = {"machine": "states", "schedule": "scheduler"}
    for role, who in Names(aws).roles.items():
        (statement,) = aws.resources[role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        service = services.get(who.partition("/")[0], "lambda")
        assert statement["Principal"] == {"Service": f"{service}.amazonaws.com"}, who


def test_a_prediction_reads_states_and_models_and_writes_its_queue_alone(roles: set[Granted]) -> None:
    """The function that callers reach can change no state, no document, no object: only how much they may ask for."""
    assert _of(roles, "serving/predict") == {
        ("dynamodb:BatchGetItem", "table:online"),
        ("dynamodb:GetItem", "table:registry"),
        ("dynamodb:Query", "table:registry"),
        ("s3:GetObject", "bucket:lake/models/*"),
        ("s3:GetObject", "bucket:lake/bundles/*"),
        ("sqs:SendMessage", "queue:predictions"),
        ("dynamodb:UpdateItem", "table:limits"),
    }


def test_browsing_reads_two_tables_and_writes_nothing(roles: set[Granted]) -> None:
    """The console's function may get and query documents of the registry and the metrics: no more."""
    reads = ("dynamodb:GetItem", "dynamodb:Query")
    assert _of(roles, "registry/browse") == {(a, on) for a in reads for on in ("table:registry", "table:metrics")}


def test_collecting_reads_nothing(roles: set[Granted]) -> None:
    """Whoever sends events can make the function queue them or set them aside, and read nothing back."""
    assert _of(roles, "ingestion/collect") == {
        ("sqs:SendMessage", "queue:events"), ("s3:PutObject", "bucket:lake/quarantine/*"),
    }  # fmt: skip


def test_each_folder_is_read_by_those_whose_work_it_is(roles: set[Granted]) -> None:
    """Nobody else may get an object of a folder of a bucket."""
    assert _holders(roles, "bucket:", "s3:GetObject") == BLOB_READERS


def test_each_folder_is_written_by_those_whose_work_it_is(roles: set[Granted]) -> None:
    """Nobody but its own writers may put an object into a folder of a bucket."""
    assert _holders(roles, "bucket:", "s3:PutObject") == BLOB_WRITERS


def test_data_files_are_deleted_by_the_upkeep_alone(roles: set[Granted]) -> None:
    """Others remove old entries of a table's log, the parts of the files they read, and the outputs of these, alone."""
    assert _holders(roles, "bucket:", "s3:DeleteObject") == BLOB_DELETERS


def test_each_document_table_is_read_and_written_by_those_whose_work_it_is(roles: set[Granted]) -> None:
    """States, registry and metrics have their own writers each; nobody deletes, and updates are of limits."""
    assert _holders(roles, "table:", "dynamodb:PutItem", "dynamodb:BatchWriteItem") == TABLE_WRITERS
    assert _holders(roles, "table:", *READS) == TABLE_READERS
    used = {one.action for one in roles if one.on.startswith("table:")}
    assert used - READS == {"dynamodb:PutItem", "dynamodb:BatchWriteItem", "dynamodb:UpdateItem"}
    assert _holders(roles, "table:", "dynamodb:UpdateItem") == {
        "table:limits": {"serving/predict"},
        "table:metrics": {"serving/log"},
    }


def test_each_queue_is_sent_to_by_those_whose_work_it_is(roles: set[Granted]) -> None:
    """Nobody else may send; no function sends to ``scores``, which S3's events fill."""
    assert _holders(roles, "queue:", "sqs:SendMessage") == SENDERS


def test_a_queue_is_received_by_the_function_it_feeds_alone(aws: Assembly, roles: set[Granted]) -> None:
    """Each of the four actions of receiving is held by exactly the function that the queue's messages start."""
    names = Names(aws)
    fed: dict[str, set[str]] = {}
    for mapping in aws.properties("AWS::Lambda::EventSourceMapping").values():
        reader = names.of(mapping["FunctionName"]).removeprefix("function:")
        fed.setdefault(names.of(mapping["EventSourceArn"]), set()).add(reader)
    assert fed
    for action in RECEIVES:
        assert _holders(roles, "queue:", action) == fed, action


def test_a_machine_invokes_the_functions_of_its_tasks_alone(aws: Assembly, roles: set[Granted]) -> None:
    """What a machine may invoke is what its definition names; a schedule invokes the function it is named for."""
    names = Names(aws)
    scheduled = {"upkeep": "ingestion/upkeep", "score": "serving/score", "guard": "release/guard"}
    scheduled["freshness"] = "monitoring/freshness"
    named = {f"function:{function}": {f"schedule/{name}"} for name, function in scheduled.items()}
    for logical_id, machine in aws.properties("AWS::StepFunctions::StateMachine").items():
        who = names.roles[mentioned(machine["RoleArn"])]
        assert who == names.resources[logical_id].replace(":", "/")
        for part in machine["DefinitionString"]["Fn::Join"][1]:
            if not isinstance(part, str) and names.of(part).startswith("function:"):
                named.setdefault(names.of(part), set()).add(who)
    assert len(named) > 1
    assert _holders(roles, "function:", "lambda:InvokeFunction") == named


def test_each_machine_is_started_by_those_whose_work_it_is(roles: set[Granted]) -> None:
    """The decision starts a training, the schedule a day, the scorer the parts of a file; a map its own children."""
    assert _holders(roles, "", "states:StartExecution") == {
        "machine:training": {"retraining/decide"},
        "machine:daily": {"schedule/daily"},
        "machine:backfill": {"machine/backfill"},
        "machine:scoring": {"serving/score", "machine/scoring"},
    }
    stops = _holders(roles, "", "states:DescribeExecution", "states:StopExecution")
    machines = ("backfill", "scoring")
    assert stops == {f"executions:{name}:*": {f"machine/{name}"} for name in machines}


def test_a_log_is_written_by_its_own_function_alone(aws: Assembly, roles: set[Granted]) -> None:
    """Every function writes the one log group that is its own, and no other."""
    jobs = {name.removeprefix("function:") for name in Names(aws).resources.values() if name.startswith("function:")}
    for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
        assert _holders(roles, "logs:", action) == {f"logs:{job}": {job} for job in jobs}


def test_a_function_is_granted_what_its_settings_name(aws: Assembly, roles: set[Granted]) -> None:
    """The stores that its environment names are those of its grants: no more, and no fewer.

    No setting names the queue whose messages start it, or its dead-letter queue, which Lambda sends to.
    """
    names = Names(aws)
    functions = aws.properties("AWS::Lambda::Function").values()
    assert functions
    for variables in (function["Environment"]["Variables"] for function in functions):
        job = variables["POWERTOOLS_SERVICE_NAME"]
        named = {names.of(value) for value in variables.values() if not isinstance(value, str)}
        reached = {on.partition("/")[0] for action, on in _of(roles, job) if action not in RECEIVES}
        assert reached - {"*", "queue:decide-dead"} == named, job


def test_no_grant_is_wider_than_a_reason_allows(roles: set[Granted]) -> None:
    """No action has a wildcard; on everything there are log delivery and the metrics of one namespace, and no more."""
    assert not [one for one in roles if "*" in one.action]
    metrics = ("StringEqualsIfExists", "cloudwatch:namespace", "Smallbox")
    everything = {one for one in roles if one.on == "*"}
    assert {one for one in everything if not one.who.startswith("machine/")} == {
        Granted(who, "cloudwatch:PutMetricData", "*", (metrics,))
        for who in ("monitoring/check", "monitoring/freshness", "serving/log")
    }
    assert {one.action for one in everything if one.who.startswith("machine/")} == ON_EVERYTHING
    wide = {one.on for one in roles if "*" in one.on and one.on != "*"}
    assert wide == {*BLOB_READERS, *BLOB_WRITERS, *BLOB_DELETERS, "executions:backfill:*", "executions:scoring:*"}


def test_a_function_lists_only_what_it_may_also_read(roles: set[Granted]) -> None:
    """Every listing is bound to prefixes, each of which the function reads anyway, or counts by its names."""
    readable = {(one.who, one.on) for one in roles if one.action == "s3:GetObject"}
    listings = [one for one in roles if one.action == "s3:ListBucket"]
    assert all(one.limits for one in listings)
    limits = {(one.who, one.on, *limit) for one in listings for limit in one.limits}
    assert {(operator, key) for _, _, operator, key, _ in limits} == {("StringLikeIfExists", "s3:prefix")}
    listed = {(who, f"{on}/{prefix}") for who, on, _, _, prefix in limits}
    assert listed <= readable
    in_tables = {job for job, on in readable if on.startswith("bucket:lake/tables/")}
    assert {job for job, _ in listed} == in_tables


def test_a_bucket_is_never_listed_whole() -> None:
    """A grant to list without prefixes does not get as far as a template."""
    with pytest.raises(ValueError, match="prefixes"):
        Grant("bucket:lake", ("s3:ListBucket",))


class _Listed(FakeBlobs):
    """Remembers what was listed."""

    def __init__(self) -> None:
        super().__init__()
        self.prefixes: set[str] = set()

    def list(self, prefix: str) -> Sequence[str]:
        self.prefixes.add(prefix)
        return super().list(prefix)


def test_the_upkeep_lists_the_profiles_that_it_may() -> None:
    """It asks for each folder of profiles by itself, since `profiles/` alone is not granted and would be denied."""
    blobs = _Listed()
    ProfileStore(blobs).gather()
    allowed = {prefix for grant in grants_of(UPKEEP) for prefix in grant.prefixes}
    assert {f"{prefix}*" for prefix in blobs.prefixes} == {one for one in allowed if one.startswith("profiles/")}
