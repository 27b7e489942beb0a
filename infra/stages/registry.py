"""Registry: the quality gate, and the records of all versions."""

from constructs import Construct

from infra.parts.flow import Flow
from infra.parts.function import ANSWER, BATCH, Function
from infra.wheels import API, COMPUTE
from smallbox.aws import settings


class Registry(Construct):
    """``register`` is a task of the training machine; ``browse`` is the read-only API."""

    def __init__(self, scope: Construct, flow: Flow) -> None:
        super().__init__(scope, "registry")
        registry = flow.table("registry")
        registering = settings.RegisterSettings(lake_bucket=flow.lake, registry_table=registry)
        browsing = settings.BrowseSettings(registry_table=registry, metrics_table=flow.table("metrics"))

        Function(self, "register", flow, registering, wheels=COMPUTE, size=BATCH)
        browse = Function(self, "browse", flow, browsing, wheels=API, size=ANSWER)

        flow.api.route(
            browse.target,
            "GET /status",
            "GET /contracts",
            "GET /models",
            "GET /models/{model}/versions",
            "GET /models/{model}/history",
            "GET /models/{model}/metrics/{day}",
            "GET /models/{model}/incidents",
            "GET /openapi.json",
        )
