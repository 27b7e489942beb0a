"""Ingestion: validates records over HTTPS and dropped files, and writes them to the lake."""

from typing import Final

from constructs import Construct

from infra.parts.flow import Flow
from infra.parts.function import ANSWER, BATCH, LOADING, TASK, Function
from infra.parts.triggers import objects_to_queue, read_batches, read_one_by_one, run_daily
from infra.wheels import API, IMAGE
from smallbox.aws import settings

LOADERS: Final = 4
"""Parts of dropped files loaded concurrently. Each commits only every many seconds, so write conflicts are rare."""


class Ingestion(Construct):
    """``collect`` accepts records, ``append`` writes them, ``load`` loads dropped files, ``upkeep`` runs daily."""

    def __init__(self, scope: Construct, flow: Flow) -> None:
        super().__init__(scope, "ingestion")
        collecting = settings.CollectSettings(
            lake_bucket=flow.lake, events_queue=flow.url("events"), as_of=flow.deployment.as_of
        )
        registry = flow.table("registry")
        appending = settings.AppendSettings(
            lake_bucket=flow.lake, features_queue=flow.url("features"), registry_table=registry
        )
        loading = settings.LoadSettings(
            inbox_bucket=flow.inbox,
            lake_bucket=flow.lake,
            drops_queue=flow.url("drops"),
            rebuild_queue=flow.url("rebuild"),
            registry_table=registry,
        )

        collect = Function(self, "collect", flow, collecting, wheels=API, size=ANSWER)
        append = Function(self, "append", flow, appending, wheels=IMAGE, size=BATCH)
        load = Function(self, "load", flow, loading, wheels=IMAGE, size=LOADING)
        tidying = settings.UpkeepSettings(
            lake_bucket=flow.lake, rebuild_queue=flow.url("rebuild"), registry_table=registry
        )
        upkeep = Function(self, "upkeep", flow, tidying, wheels=IMAGE, size=TASK)

        flow.api.route(collect.target, "POST /events/{source}")
        read_batches(flow, "events", append)
        objects_to_queue(self, flow, flow.stores.inbox, "drop/*", "drops")
        read_one_by_one(flow, "drops", load, workers=LOADERS)
        # ends before the daily machines start at 01:00; one run for all models, because ``current`` has one writer
        run_daily(flow, "upkeep", upkeep, hour=0, minute=15)
        self.upkeep = upkeep.target
