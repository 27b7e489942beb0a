"""The IAM grants of people: operators, and who may let requests name a past moment."""

from typing import Final

from infra.grant import GET, Grant, Under, listing
from infra.grants import CALL, DESCRIBE, SEND, START, UPLOAD, WATCH, invocations

DRAINED: Final = ("events", "drops", "features", "rebuild", "scores", "predictions")
"""The queues whose messages the command line counts."""
MACHINES: Final = ("training", "daily", "backfill")
"""The state machines that the command line starts and waits for."""

OPERATOR: Final = (
    *(Grant(f"stack:{of}/*", DESCRIBE, "the ARN ends in an id of each deployment") for of in ("stores", "pipeline")),
    Grant("api/$default/GET/*", CALL, "every route of the API that reads"),
    *(Grant(f"api/$default/POST/{of}/*", CALL, "each name has a route") for of in ("events", "models", "v2/models")),
    Under("bucket:inbox/drop/*", UPLOAD),
    Under("bucket:inbox/score/*/in/*", UPLOAD),
    Under("bucket:inbox/score/*/out/*", GET),
    listing("inbox", "score/*/out/*"),
    Under("bucket:lake/reports/*", GET),
    Under("bucket:lake/quarantine/*", ("s3:GetObject", "s3:DeleteObject")),
    listing("lake", "reports/*", "quarantine/*"),
    *(Grant(f"queue:{name}", ("sqs:GetQueueAttributes",)) for name in DRAINED),
    *(Grant(f"queue:{name}-dead", ("sqs:GetQueueAttributes",)) for name in (*DRAINED, "decide")),
    Grant("*", ("cloudwatch:GetMetricData",), "age of the oldest message; CloudWatch has no resource to name"),
    Grant("queue:rebuild", SEND),
    *(Grant(f"machine:{name}", START) for name in MACHINES),
    *(Grant(f"executions:{name}:*", WATCH, "executions have made-up names") for name in MACHINES),
    *invocations("ingestion/upkeep", "release/start", "release/shadow", "release/experiment", "monitoring/resolve"),
)
"""What the commands of the command line need: the managed policy of operators, on AWS and locally."""

AS_OF: Final = tuple(Grant(f"api/as_of/POST/{of}/*", CALL, "each name has a route") for of in ("events", "models"))
"""What it takes to let requests name a past moment, where the deployment has the setting ``as_of`` ``granted``."""
