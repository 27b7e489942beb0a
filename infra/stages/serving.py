"""Serving: online and batch predictions, each logged with its features."""

from typing import Final

from constructs import Construct

from infra.parts.flow import Flow
from infra.parts.function import BATCH, FIGURES, LOADING, Function
from infra.parts.machine import add_named_machine
from infra.parts.triggers import objects_to_queue, read_batches, read_one_by_one, run_daily
from infra.wheels import COMPUTE, IMAGE
from smallbox.aws import settings

SCORING_MACHINE: Final = "smallbox-scoring"


class Serving(Construct):
    """``predict`` serves online predictions, ``log`` writes the prediction log, ``score`` scores dropped files."""

    def __init__(self, scope: Construct, flow: Flow) -> None:
        super().__init__(scope, "serving")
        predict = self._predict(flow)
        logging = settings.LogSettings(
            lake_bucket=flow.lake, registry_table=flow.table("registry"), metrics_table=flow.table("metrics")
        )
        log = Function(self, "log", flow, logging, wheels=IMAGE, size=BATCH)
        score = self._score(flow)

        flow.api.route(
            predict.target,
            "POST /models/{model}/predict",
            "POST /models/{model}/rank",
            "GET /v2",
            "GET /v2/health/live",
            "GET /v2/health/ready",
            "GET /v2/models/{model}",
            "GET /v2/models/{model}/ready",
            "POST /v2/models/{model}/infer",
            "GET /v2/models/{model}/versions/{version}",
            "GET /v2/models/{model}/versions/{version}/ready",
            "POST /v2/models/{model}/versions/{version}/infer",
        )
        read_batches(flow, "predictions", log)
        objects_to_queue(self, flow, flow.stores.inbox, "score/*/in/*", "scores")
        read_one_by_one(flow, "scores", score)
        # one run for all models with score_daily; after the upkeep has begun, and before the daily machines release
        run_daily(flow, "score", score, hour=0, minute=45, event={"step": "days", "document": {}})

    def _predict(self, flow: Flow) -> Function:
        predicting = settings.PredictSettings(
            lake_bucket=flow.lake,
            online_table=flow.table("online"),
            registry_table=flow.table("registry"),
            predictions_queue=flow.url("predictions"),
            limits_table=flow.table("limits"),
            as_of=flow.deployment.as_of,
        )
        snap_start = flow.deployment.snap_start
        return Function(self, "predict", flow, predicting, wheels=COMPUTE, size=FIGURES, snap_start=snap_start)

    def _score(self, flow: Flow) -> Function:
        # the function starts the machine, and the machine invokes the function: so the machine has a fixed name
        machine = add_named_machine(self, flow, "scoring", SCORING_MACHINE)
        scoring = settings.ScoreSettings(
            inbox_bucket=flow.inbox,
            lake_bucket=flow.lake,
            registry_table=flow.table("registry"),
            scoring_machine=machine,
        )
        return Function(self, "score", flow, scoring, wheels=IMAGE, size=LOADING)
