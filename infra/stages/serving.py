"""Serving: predictions online and by the file, each logged with its features."""

from constructs import Construct

from infra.parts.flow import Flow
from infra.parts.function import BATCH, FIGURES, TASK, Function
from infra.parts.triggers import objects_to_queue, read_batches, read_one_by_one
from infra.wheels import COMPUTE, IMAGE
from smallbox.aws import settings


class Serving(Construct):
    """``predict`` answers, ``log`` writes the prediction log, ``score`` scores dropped files."""

    def __init__(self, scope: Construct, flow: Flow) -> None:
        super().__init__(scope, "serving")
        predict = self._predict(flow)
        log = Function(self, "log", flow, settings.Log(lake_bucket=flow.lake), wheels=IMAGE, size=BATCH)
        scoring = settings.Score(inbox_bucket=flow.inbox, lake_bucket=flow.lake, registry_table=flow.table("registry"))
        score = Function(self, "score", flow, scoring, wheels=IMAGE, size=TASK)

        flow.api.route(
            predict.target,
            "POST /models/{model}/predict",
            "GET /v2/health/live",
            "GET /v2/health/ready",
            "GET /v2/models/{model}",
            "POST /v2/models/{model}/infer",
        )
        read_batches(flow, "predictions", log)
        objects_to_queue(self, flow, flow.stores.inbox, "score/*/in/*", "scores")
        read_one_by_one(flow, "scores", score)

    def _predict(self, flow: Flow) -> Function:
        predicting = settings.Predict(
            lake_bucket=flow.lake,
            online_table=flow.table("online"),
            registry_table=flow.table("registry"),
            predictions_queue=flow.url("predictions"),
        )
        snap_start = flow.deployment.snap_start
        return Function(self, "predict", flow, predicting, wheels=COMPUTE, size=FIGURES, snap_start=snap_start)
