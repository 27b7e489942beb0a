"""The IAM grants of functions, state machines and schedules, with exact actions.

People have those of :mod:`infra.people_grants`. No other code of the app writes an IAM policy.

``on`` names the resource: ``bucket:lake/tables/*``, ``table:online``, ``queue:events``, ``machine:training``,
``function:training/fit``, ``logs:self`` (the function's own log group) or ``*``, which needs a reason.
The table in ``docs/permissions.md`` is generated from here.
"""

from collections.abc import Mapping
from typing import Final

from infra.grant import GET, PARTS, PUT, Grant, Under, listing, profiles, tables

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
        *profiles("records"),
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
        *profiles("records"),
        Under("bucket:lake/quarantine/*", PUT),
        Under("bucket:lake/reports/*", PUT),
    ),
    "ingestion/upkeep": (
        Grant("queue:rebuild", SEND),
        Grant("table:registry", ONE),
        *tables(rewrite=["records", "current", "predictions", "labelled", "restated", "exposures"]),
        *profiles("records", PARTS),
        *profiles("predictions", PARTS),
        *profiles("labelled", PARTS),
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
        *tables(read=["records", "predictions", "labelled"], append=["exposures"]),
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
        Grant("table:metrics", READ),
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
        Grant("table:registry", ONE),
        Under("bucket:lake/models/*", GET),
        *tables(append=["predictions"]),
        *profiles("predictions"),
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
        *profiles("predictions"),
        Under("bucket:lake/models/*", GET),
        Under("bucket:lake/bundles/*", GET),
        Grant("table:registry", READ),
    ),
    "feedback/join": (
        *tables(read=["records", "predictions"], append=["labelled", "restated"]),
        *profiles("labelled"),
        Under("bucket:lake/models/*", GET),
        Grant("table:registry", READ),
        Grant("table:metrics", WRITE),
    ),
    "monitoring/check": (
        *tables(read=["records", "predictions", "labelled"]),
        listing("lake", "quarantine/*"),
        Under("bucket:lake/quarantine/*", GET),
        *profiles("records", GET),
        *profiles("predictions", GET),
        *profiles("labelled", GET),
        Under("bucket:lake/models/*", GET),
        Under("bucket:lake/references/*", (*GET, *PUT)),
        Under("bucket:lake/bundles/*", GET),
        Grant("table:registry", READ),
        Grant("table:metrics", WRITE),
        Grant("table:online", ("dynamodb:BatchGetItem",)),
        Grant("topic:alarms", ("sns:Publish",)),
        Grant("*", METRICS, "figures have no resource to name; the namespace is the limit", namespace="Smallbox"),
    ),
    "monitoring/freshness": (
        *tables(read=["records"]),
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
    "schedule/freshness": (Grant("function:monitoring/freshness", INVOKE),),
    "schedule/guard": (Grant("function:release/guard", INVOKE),),
    "schedule/score": (Grant("function:serving/score", INVOKE),),
    "schedule/upkeep": (Grant("function:ingestion/upkeep", INVOKE),),
}


def grants_of(principal: str) -> tuple[Grant, ...]:
    """All grants of a function (``ingestion/collect``), a state machine or a schedule."""
    kind = principal.partition("/")[0]
    shared = {"machine": EVERY_MACHINE, "schedule": ()}.get(kind, EVERY_FUNCTION)
    return shared + GRANTS[principal]
