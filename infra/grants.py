"""The IAM grants of functions, state machines and schedules, with exact actions.

People have those of :mod:`infra.people_grants`. No other code of the app writes an IAM policy.

``on`` names the resource: ``bucket:lake/tables/*``, ``table:online``, ``queue:events``, ``machine:training``,
``function:training/fit``, ``logs:self`` (the function's own log group) or ``*``, which needs a reason.
The table in ``docs/permissions.md`` is generated from here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Grant:
    """One IAM grant.

    Attributes:
        on: the resource.
        actions: the allowed actions, without wildcards.
        reason: why the resource contains ``*``.
        namespace: limits the grant to this CloudWatch namespace.
        prefixes: limits listing to these key prefixes, each ending in ``*``.

    Raises:
        ValueError: when an action has a wildcard, a wildcard resource has no reason, or listing has no prefixes.
    """

    on: str
    actions: tuple[str, ...]
    reason: str = ""
    namespace: str = ""
    prefixes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if any("*" in action for action in self.actions):
            raise ValueError(f"{self.on}: name the actions one by one, not {', '.join(self.actions)}")
        if "*" in self.on and not self.reason:
            raise ValueError(f"{self.on}: a wildcard resource needs a reason")
        if "s3:ListBucket" in self.actions and not self.prefixes:
            raise ValueError(f"{self.on}: name the prefixes that may be listed")


@dataclass(frozen=True, slots=True)
class Under(Grant):
    """A grant on the objects under a prefix of a bucket."""

    reason: str = field(default="the objects under one prefix of one bucket")


GET: Final = ("s3:GetObject",)
PUT: Final = ("s3:PutObject",)
PARTS: Final = ("s3:GetObject", "s3:PutObject", "s3:DeleteObject")
APPEND: Final = ("s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload")
REWRITE: Final = (*APPEND, "s3:DeleteObject")

SEND: Final = ("sqs:SendMessage",)
RECEIVE: Final = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes")

ONE: Final = ("dynamodb:GetItem",)
READ: Final = ("dynamodb:GetItem", "dynamodb:Query")
WRITE: Final = ("dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem")
STATES: Final = ("dynamodb:BatchGetItem", "dynamodb:PutItem")
MARK: Final = ("dynamodb:BatchWriteItem",)

INVOKE: Final = ("lambda:InvokeFunction",)
START: Final = ("states:StartExecution",)
MAP_RUN: Final = ("states:DescribeExecution", "states:StopExecution")
WATCH: Final = ("states:DescribeExecution", "states:GetExecutionHistory")
UPLOAD: Final = ("s3:PutObject", "s3:AbortMultipartUpload")
METRICS: Final = ("cloudwatch:PutMetricData",)
CALL: Final = ("execute-api:Invoke",)
DESCRIBE: Final = ("cloudformation:DescribeStacks",)


def listing(bucket: str, *prefixes: str) -> Grant:
    """Allow listing the keys under prefixes of a bucket, and a 404 for a missing object.

    S3 answers 404 for a missing object only to callers that may list; others get a 403. Decision 0020 explains what
    this grants beyond the prefixes.
    """
    return Grant(f"bucket:{bucket}", ("s3:ListBucket",), prefixes=prefixes)


def tables(*, read: Sequence[str] = (), append: Sequence[str] = (), rewrite: Sequence[str] = ()) -> tuple[Grant, ...]:
    """Grants on the Delta tables in folders of the lake, like ``records`` or ``labelled``.

    Args:
        read: folders whose tables may be read.
        append: folders whose tables may be read and committed to. Only old log entries may be deleted.
        rewrite: like ``append``, and data files may be deleted, as by a vacuum.
    """
    allowed = {**dict.fromkeys(read, GET), **dict.fromkeys(append, APPEND), **dict.fromkeys(rewrite, REWRITE)}
    logs = tuple(Under(f"bucket:lake/tables/{folder}/*/_delta_log/*", ("s3:DeleteObject",)) for folder in append)
    files = tuple(Under(f"bucket:lake/tables/{folder}/*", actions) for folder, actions in allowed.items())
    return (listing("lake", *(f"tables/{folder}/*" for folder in allowed)), *files, *logs)


def invocations(*functions: str) -> tuple[Grant, ...]:
    """Allow invoking these functions."""
    return tuple(Grant(f"function:{name}", INVOKE) for name in functions)


EVERY_FUNCTION: Final = (
    Grant("logs:self", ("logs:CreateLogStream", "logs:PutLogEvents"), "the streams of its own log group"),
)

EVERY_MACHINE: Final = (
    Grant(
        "*",
        (
            "logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery", "logs:DeleteLogDelivery",
            "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:DescribeResourcePolicies",
            "logs:DescribeLogGroups",
        ),
        "log delivery has no resources to name; Step Functions asks for exactly these",
    ),
)  # fmt: skip

GRANTS: Final[Mapping[str, tuple[Grant, ...]]] = {
    "ingestion/collect": (
        Grant("queue:events", SEND),
        Under("bucket:lake/quarantine/*", PUT),
    ),
    "ingestion/append": (
        Grant("queue:events", RECEIVE),
        Grant("queue:features", SEND),
        Grant("table:registry", ONE),
        *tables(append=["records"]),
        Under("bucket:lake/quarantine/*", PUT),
    ),
    "ingestion/load": (
        Grant("queue:drops", RECEIVE + SEND),
        Grant("queue:rebuild", SEND),
        Grant("table:registry", ONE),
        listing("inbox", "parts/*"),
        Under("bucket:inbox/drop/*", GET),
        Under("bucket:inbox/parts/*", PARTS),
        *tables(append=["records"]),
        Under("bucket:lake/quarantine/*", PUT),
        Under("bucket:lake/reports/*", PUT),
    ),
    "ingestion/upkeep": (
        Grant("queue:rebuild", SEND),
        Grant("table:registry", ONE),
        *tables(rewrite=["records", "current", "predictions", "labelled", "restated", "exposures"]),
    ),
    "features/stream": (
        Grant("queue:features", RECEIVE + SEND),
        Grant("queue:rebuild", SEND),
        Grant("table:online", STATES),
        Grant("table:registry", ONE),
    ),
    "features/rebuild": (
        Grant("queue:rebuild", RECEIVE + SEND),
        *tables(read=["records"]),
        Grant("table:online", STATES + MARK),
        Grant("table:registry", ONE),
    ),
    "features/backfill": (
        Grant("queue:rebuild", SEND),
        *tables(read=["records"]),
        Grant("table:online", STATES + MARK),
        Grant("table:registry", WRITE),
    ),
    "training/dataset": (
        *tables(read=["records"]),
        Under("bucket:lake/datasets/*", PUT),
        Under("bucket:lake/bundles/*", GET),
        Grant("table:registry", READ),
    ),
    "training/fit": (
        Under("bucket:lake/datasets/*", GET),
        Under("bucket:lake/models/*", GET + PUT),
        Grant("table:registry", READ),
    ),
    "registry/register": (
        Grant("table:registry", WRITE),
        Under("bucket:lake/bundles/*", PUT),
    ),
    "registry/browse": (
        Grant("table:registry", READ),
        Grant("table:metrics", READ),
    ),
    "release/start": (Grant("table:registry", WRITE),),
    "release/experiment": (
        *tables(read=["records", "predictions"], append=["exposures"]),
        Grant("table:registry", WRITE),
    ),
    "release/shadow": (
        *tables(read=["records", "predictions", "labelled"]),
        Under("bucket:lake/models/*", GET),
        Under("bucket:lake/bundles/*", GET),
        Grant("table:registry", READ),
        Grant("table:metrics", WRITE),
    ),
    "release/review": (
        *tables(read=["labelled", "predictions"]),
        Grant("table:registry", WRITE),
        Grant("table:metrics", WRITE),
    ),
    "release/guard": (
        Grant("table:registry", WRITE),
        Grant("table:metrics", ("dynamodb:Query",)),
        Grant("topic:alarms", ("sns:Publish",)),
    ),
    "serving/predict": (
        Grant("table:online", ("dynamodb:BatchGetItem",)),
        Grant("table:registry", READ),
        Under("bucket:lake/models/*", GET),
        Under("bucket:lake/bundles/*", GET),
        Grant("queue:predictions", SEND),
        Grant("table:limits", ("dynamodb:UpdateItem",)),
    ),
    "serving/log": (
        Grant("queue:predictions", RECEIVE),
        *tables(append=["predictions"]),
        Grant("table:metrics", ("dynamodb:UpdateItem",)),
        Grant("*", METRICS, "figures have no resource to name; the namespace is the limit", namespace="Smallbox"),
    ),
    "serving/score": (
        Grant("queue:scores", RECEIVE),
        Grant("machine:scoring", START),
        listing("inbox", "parts/*", "score/*/out/*"),
        Under("bucket:inbox/parts/*", PARTS),
        Under("bucket:inbox/score/*/in/*", GET),
        Under("bucket:inbox/score/*/in/daily/*", PUT),
        Under("bucket:inbox/score/*/out/*", PARTS),
        *tables(read=["records"], append=["predictions"]),
        Under("bucket:lake/models/*", GET),
        Under("bucket:lake/bundles/*", GET),
        Grant("table:registry", READ),
    ),
    "feedback/join": (
        *tables(read=["records", "predictions"], append=["labelled", "restated"]),
        Grant("table:registry", READ),
        Grant("table:metrics", WRITE),
    ),
    "monitoring/check": (
        *tables(read=["records", "predictions", "labelled"]),
        listing("lake", "quarantine/*"),
        Under("bucket:lake/quarantine/*", GET),
        Under("bucket:lake/models/*", GET),
        Under("bucket:lake/references/*", (*GET, *PUT)),
        Under("bucket:lake/bundles/*", GET),
        Grant("table:registry", READ),
        Grant("table:metrics", WRITE),
        Grant("topic:alarms", ("sns:Publish",)),
        Grant("*", METRICS, "figures have no resource to name; the namespace is the limit", namespace="Smallbox"),
    ),
    "monitoring/resolve": (Grant("table:metrics", WRITE),),
    "retraining/decide": (
        Grant("machine:training", START),
        Grant("table:registry", WRITE),
        Grant("table:metrics", WRITE),
        Grant("queue:decide-dead", SEND),
    ),
    "machine/training": invocations("training/dataset", "training/fit", "registry/register", "release/start"),
    "machine/daily": invocations(
        "feedback/join",
        "monitoring/check",
        "release/shadow",
        "release/review",
        "release/experiment",
        "retraining/decide",
    ),
    "machine/backfill": (
        Grant("function:features/backfill", INVOKE),
        Grant("machine:backfill", START),
        Grant("executions:backfill:*", MAP_RUN, "the child executions of its own distributed map have made-up names"),
    ),
    "machine/scoring": (
        Grant("function:serving/score", INVOKE),
        Grant("machine:scoring", START),
        Grant("executions:scoring:*", MAP_RUN, "the child executions of its own distributed map have made-up names"),
    ),
    "schedule/daily": (Grant("machine:daily", START),),
    "schedule/guard": (Grant("function:release/guard", INVOKE),),
    "schedule/score": (Grant("function:serving/score", INVOKE),),
    "schedule/upkeep": (Grant("function:ingestion/upkeep", INVOKE),),
}


def grants_of(principal: str) -> tuple[Grant, ...]:
    """All grants of a function (``ingestion/collect``), a state machine or a schedule."""
    kind = principal.partition("/")[0]
    shared = {"machine": EVERY_MACHINE, "schedule": ()}.get(kind, EVERY_FUNCTION)
    return shared + GRANTS[principal]
