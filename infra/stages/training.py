"""Training: a point-in-time dataset, then fit, calibrate, export and measure. Tasks of the training machine."""

from constructs import Construct

from infra.parts.flow import Flow
from infra.parts.function import FITTING, TASK, Function
from infra.wheels import IMAGE
from smallbox.aws import settings


class Training(Construct):
    """``dataset`` writes what the run learns from; ``fit`` makes the candidate."""

    def __init__(self, scope: Construct, flow: Flow) -> None:
        super().__init__(scope, "training")
        fitting = settings.FitSettings(lake_bucket=flow.lake, registry_table=flow.table("registry"))

        Function(self, "dataset", flow, settings.DatasetSettings(lake_bucket=flow.lake), wheels=IMAGE, size=TASK)
        Function(self, "fit", flow, fitting, wheels=IMAGE, size=FITTING)
