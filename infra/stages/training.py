"""Training: builds a point-in-time dataset, then fits, calibrates, exports and measures the candidate."""

from constructs import Construct

from infra.parts.flow import Flow
from infra.parts.function import DATASET, FITTING, Function
from infra.wheels import IMAGE
from smallbox.aws import settings


class Training(Construct):
    """``dataset`` and ``fit`` are the first tasks of the training machine."""

    def __init__(self, scope: Construct, flow: Flow) -> None:
        super().__init__(scope, "training")
        building = settings.DatasetSettings(lake_bucket=flow.lake, registry_table=flow.table("registry"))
        fitting = settings.FitSettings(lake_bucket=flow.lake, registry_table=flow.table("registry"))

        Function(self, "dataset", flow, building, wheels=IMAGE, size=DATASET)
        Function(self, "fit", flow, fitting, wheels=IMAGE, size=FITTING)
