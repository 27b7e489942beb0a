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
        Function(
            self,
            "join",
            flow,
            settings.JoinSettings(lake_bucket=flow.lake, registry_table=flow.table("registry")),
            wheels=IMAGE,
            size=TASK,
        )
