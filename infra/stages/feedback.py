"""Feedback: joins late labels to their predictions."""

from constructs import Construct

from infra.parts.flow import Flow
from infra.parts.function import TASK, Function
from infra.wheels import IMAGE
from smallbox.aws import settings


class Feedback(Construct):
    """``join`` is the first task of the daily machine."""

    def __init__(self, scope: Construct, flow: Flow) -> None:
        super().__init__(scope, "feedback")
        joining = settings.JoinSettings(
            lake_bucket=flow.lake, registry_table=flow.table("registry"), metrics_table=flow.table("metrics")
        )
        Function(self, "join", flow, joining, wheels=IMAGE, size=TASK)
