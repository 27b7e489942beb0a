"""Release: rollout of a version that passed the gate, by canary, promotion or rollback."""

from constructs import Construct

from infra.parts.flow import Flow
from infra.parts.function import BATCH, TASK, Function
from infra.wheels import COMPUTE, IMAGE
from smallbox.aws import settings


class Release(Construct):
    """``start`` is the training machine's last task, or invoked by hand; ``review`` runs in the daily machine."""

    def __init__(self, scope: Construct, flow: Flow) -> None:
        super().__init__(scope, "release")
        registry = flow.table("registry")
        reviewing = settings.ReviewSettings(
            lake_bucket=flow.lake, registry_table=registry, metrics_table=flow.table("metrics")
        )

        start = Function(
            self, "start", flow, settings.StartSettings(registry_table=registry), wheels=COMPUTE, size=BATCH
        )
        Function(self, "review", flow, reviewing, wheels=IMAGE, size=TASK)
        self.start = start.target
