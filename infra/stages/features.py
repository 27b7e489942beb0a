"""Features: keeps the online store up to date, by stream and by rebuilds from the lake."""

from typing import Final

from constructs import Construct

from infra.parts.flow import Flow
from infra.parts.function import BATCH, TASK, Function
from infra.parts.triggers import read_batches
from infra.wheels import COMPUTE, IMAGE
from smallbox.aws import settings

STREAM_MESSAGES: Final = 1_000
"""Messages of a batch of the stream. A message may hold a single record, and records of a batch share writes."""


class Features(Construct):
    """``stream`` applies records as they arrive; ``rebuild`` and ``backfill`` recompute entities from the lake."""

    def __init__(self, scope: Construct, flow: Flow) -> None:
        super().__init__(scope, "features")
        online, registry, again = flow.table("online"), flow.table("registry"), flow.url("rebuild")
        shared = {"lake_bucket": flow.lake, "online_table": online, "rebuild_queue": again, "registry_table": registry}
        streaming = settings.StreamSettings(
            online_table=online, features_queue=flow.url("features"), rebuild_queue=again, registry_table=registry
        )
        rebuilding, filling = settings.RebuildSettings(**shared), settings.BackfillSettings(**shared)

        stream = Function(self, "stream", flow, streaming, wheels=COMPUTE, size=BATCH)
        rebuild = Function(self, "rebuild", flow, rebuilding, wheels=IMAGE, size=TASK)

        Function(self, "backfill", flow, filling, wheels=IMAGE, size=TASK)

        read_batches(flow, "features", stream, flow.deployment.stream_workers, STREAM_MESSAGES)
        # batched, so that several files dropped together rebuild an entity only once
        read_batches(flow, "rebuild", rebuild)
