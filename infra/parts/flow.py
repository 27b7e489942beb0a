"""Resources that all stages share, and the registry of functions and ARNs that stages refer to."""

from dataclasses import dataclass, field

from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.deployment import Deployment
from infra.parts.alarms import Alarms
from infra.parts.api import Api
from infra.parts.layers import Layers
from infra.parts.queues import SECONDS, WorkQueue
from infra.parts.roles import Arns
from infra.stores import Stores
from smallbox.aws.replays import GRANTED


@dataclass(frozen=True, slots=True)
class Flow:
    """Shared resources, the functions created so far, and the ARN of everything that a grant can name."""

    deployment: Deployment
    stores: Stores
    alarms: Alarms
    layers: Layers
    api: Api
    queues: dict[str, WorkQueue]
    arns: Arns = field(default_factory=Arns)
    functions: dict[str, lambda_.IFunction] = field(default_factory=dict)

    @property
    def lake(self) -> str:
        """The name of the lake bucket."""
        return self.stores.lake.bucket_name

    @property
    def inbox(self) -> str:
        """The name of the inbox bucket, where files are dropped."""
        return self.stores.inbox.bucket_name

    def table(self, name: str) -> str:
        """The name of a DynamoDB table."""
        return self.stores.tables[name].table_name

    def url(self, queue: str) -> str:
        """The URL of a queue."""
        return self.queues[queue].queue.queue_url


def flow_of(scope: Construct, deployment: Deployment, stores: Stores) -> Flow:
    """Create the shared resources under ``scope``."""
    alarms = Alarms(scope, "alarms", deployment)
    alarms.notify(deployment.notify)
    home = Construct(scope, "queues")
    queues = {name: WorkQueue(home, name, deployment) for name in SECONDS}
    api = Api(scope, "api", with_as_of=deployment.as_of == GRANTED)
    flow = Flow(deployment, stores, alarms, Layers(scope, "layers", deployment), api, queues)
    for name, queue in queues.items():
        flow.arns.add(f"queue:{name}", queue.queue.queue_arn)
        flow.arns.add(f"queue:{name}-dead", queue.dead.queue_arn)
    for name, table in stores.tables.items():
        flow.arns.add(f"table:{name}", table.table_arn)
    flow.arns.add("api", flow.api.arn)
    flow.arns.add("topic:alarms", alarms.topic.topic_arn)
    flow.arns.add("bucket:lake", stores.export_value(stores.lake.bucket_arn))
    flow.arns.add("bucket:inbox", stores.export_value(stores.inbox.bucket_arn))
    return flow
