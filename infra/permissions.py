"""Every grant, exact actions, one line each: nothing else in the app writes an IAM policy.

``on`` names what it is on: ``bucket:lake/tables/*``, ``table:online``, ``queue:events``, ``machine:training``,
``function:training/fit``, ``logs:self`` (the function's own log group) or ``*``, which needs a reason.
The table in ``docs/permissions.md`` is generated from here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Grant:
    """One grant.

    Attributes:
        on: what it is on.
        actions: exactly these.
        reason: why a part of the resource is ``*``.
        namespace: the only CloudWatch namespace it holds for.

    Raises:
        ValueError: when an action has a wildcard, or a wildcard resource has no reason.
    """

    on: str
    actions: tuple[str, ...]
    reason: str = ""
    namespace: str = ""

    def __post_init__(self) -> None:
        if any("*" in action for action in self.actions):
            raise ValueError(f"{self.on}: name the actions one by one, not {', '.join(self.actions)}")
        if "*" in self.on and not self.reason:
            raise ValueError(f"{self.on}: a wildcard resource needs a reason")


@dataclass(frozen=True, slots=True)
class Under(Grant):
    """A grant on the objects under a prefix of a bucket."""

    reason: str = field(default="the objects under one prefix of one bucket")


GET: Final = ("s3:GetObject",)
PUT: Final = ("s3:PutObject",)
# A missing object answers 404 only to those who may list the bucket; without this it is a 403, and a
# Delta table that does not exist yet could not be told from one that may not be read.
LIST: Final = ("s3:ListBucket",)
PARTS: Final = ("s3:GetObject", "s3:PutObject", "s3:DeleteObject")
DELTA: Final = ("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload")

SEND: Final = ("sqs:SendMessage",)
RECEIVE: Final = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes")

READ: Final = ("dynamodb:GetItem", "dynamodb:Query")
WRITE: Final = ("dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem")
STATES: Final = ("dynamodb:BatchGetItem", "dynamodb:PutItem")
MARK: Final = ("dynamodb:BatchWriteItem",)

INVOKE: Final = ("lambda:InvokeFunction",)
START: Final = ("states:StartExecution",)
MAP_RUN: Final = ("states:DescribeExecution", "states:StopExecution")
METRICS: Final = ("cloudwatch:PutMetricData",)

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
        Grant("bucket:lake", LIST),
        Under("bucket:lake/tables/*", DELTA),
        Under("bucket:lake/quarantine/*", PUT),
    ),
    "ingestion/load": (
        Grant("queue:drops", RECEIVE + SEND),
        Grant("queue:rebuild", SEND),
        Grant("bucket:inbox", LIST),
        Under("bucket:inbox/drop/*", GET),
        Under("bucket:inbox/parts/*", PARTS),
        Grant("bucket:lake", LIST),
        Under("bucket:lake/tables/*", DELTA),
        Under("bucket:lake/quarantine/*", PUT),
        Under("bucket:lake/reports/*", PUT),
    ),
    "ingestion/upkeep": (
        Grant("bucket:lake", LIST),
        Under("bucket:lake/tables/*", DELTA),
    ),
    "features/stream": (
        Grant("queue:features", RECEIVE + SEND),
        Grant("queue:rebuild", SEND),
        Grant("table:online", STATES),
    ),
    "features/rebuild": (
        Grant("queue:rebuild", RECEIVE + SEND),
        Grant("bucket:lake", LIST),
        Under("bucket:lake/tables/*", GET),
        Grant("table:online", STATES + MARK),
    ),
    "features/backfill": (
        Grant("bucket:lake", LIST),
        Under("bucket:lake/tables/*", GET),
        Grant("table:online", STATES + MARK),
    ),
    "training/dataset": (
        Grant("bucket:lake", LIST),
        Under("bucket:lake/tables/*", GET),
        Under("bucket:lake/datasets/*", PUT),
    ),
    "training/fit": (
        Grant("bucket:lake", LIST),
        Under("bucket:lake/datasets/*", GET),
        Under("bucket:lake/models/*", GET + PUT),
        Grant("table:registry", READ),
    ),
    "registry/register": (Grant("table:registry", WRITE),),
    "registry/browse": (
        Grant("table:registry", READ),
        Grant("table:metrics", READ),
    ),
    "release/start": (Grant("table:registry", WRITE),),
    "release/review": (
        Grant("bucket:lake", LIST),
        Under("bucket:lake/tables/*", GET),
        Grant("table:registry", WRITE),
    ),
    "serving/predict": (
        Grant("table:online", ("dynamodb:BatchGetItem",)),
        Grant("table:registry", READ),
        Grant("bucket:lake", LIST),
        Under("bucket:lake/models/*", GET),
        Grant("queue:predictions", SEND),
    ),
    "serving/log": (
        Grant("queue:predictions", RECEIVE),
        Grant("bucket:lake", LIST),
        Under("bucket:lake/tables/*", DELTA),
    ),
    "serving/score": (
        Grant("queue:scores", RECEIVE),
        Grant("bucket:inbox", LIST),
        Under("bucket:inbox/score/*", GET + PUT),
        Grant("bucket:lake", LIST),
        Under("bucket:lake/tables/*", DELTA),
        Under("bucket:lake/models/*", GET),
        Grant("table:registry", READ),
    ),
    "feedback/join": (
        Grant("bucket:lake", LIST),
        Under("bucket:lake/tables/*", DELTA),
    ),
    "monitoring/check": (
        Grant("bucket:lake", LIST),
        Under("bucket:lake/tables/*", GET),
        Under("bucket:lake/models/*", GET),
        Grant("table:registry", READ),
        Grant("table:metrics", WRITE),
        Grant("*", METRICS, "figures have no resource to name; the namespace is the limit", namespace="Smallbox"),
    ),
    "retraining/decide": (
        Grant("machine:training", START),
        Grant("table:registry", WRITE),
        Grant("table:metrics", READ),
        Grant("queue:decide-dead", SEND),
    ),
    "machine/training": (
        Grant("function:training/dataset", INVOKE),
        Grant("function:training/fit", INVOKE),
        Grant("function:registry/register", INVOKE),
        Grant("function:release/start", INVOKE),
    ),
    "machine/daily": (
        Grant("function:feedback/join", INVOKE),
        Grant("function:monitoring/check", INVOKE),
        Grant("function:release/review", INVOKE),
        Grant("function:retraining/decide", INVOKE),
    ),
    "machine/backfill": (
        Grant("function:features/backfill", INVOKE),
        Grant("machine:backfill", START),
        Grant("executions:backfill:*", MAP_RUN, "the child executions of its own distributed map have made-up names"),
    ),
    "schedule/daily": (Grant("machine:daily", START),),
    "schedule/upkeep": (Grant("function:ingestion/upkeep", INVOKE),),
}


def grants_of(principal: str) -> tuple[Grant, ...]:
    """All grants of a function (``ingestion/collect``), a state machine or a schedule."""
    kind = principal.partition("/")[0]
    shared = {"machine": EVERY_MACHINE, "schedule": ()}.get(kind, EVERY_FUNCTION)
    return shared + GRANTS[principal]
