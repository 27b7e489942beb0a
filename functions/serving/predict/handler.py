"""Online predictions: ``POST /models/{model}/predict``, and the routes of the Open Inference Protocol."""

from aws_lambda_powertools.event_handler import Response

from smallbox.aws import api, clock
from smallbox.aws.blobs import S3Blobs
from smallbox.aws.clients import client
from smallbox.aws.documents import DynamoDocuments
from smallbox.aws.dynamodb.client import SignedDynamoDb
from smallbox.aws.fallback_log import EmbeddedFallbackLog
from smallbox.aws.online import DynamoOnlineStore
from smallbox.aws.queue import SqsQueue
from smallbox.aws.settings import PredictSettings, from_environment
from smallbox.define.project import load
from smallbox.features.live_views import LiveViewStore
from smallbox.registry.loader import ModelLoader
from smallbox.registry.store import Registry
from smallbox.serving.inference import InferenceProtocol
from smallbox.serving.predict import PredictTask

settings, reads = from_environment(PredictSettings), SignedDynamoDb.like(client("dynamodb"))
documents = DynamoDocuments(settings.registry_table, reads=reads)
loader = ModelLoader.of_project(load(), Registry(documents), S3Blobs(settings.lake_bucket))
predictor = PredictTask(
    load(),
    DynamoOnlineStore(settings.online_table, reads=reads),
    LiveViewStore(documents),
    loader,
    SqsQueue(settings.predictions_queue),
    EmbeddedFallbackLog(),
    clock.ticks,
)
protocol = InferenceProtocol(load(), loader, predictor)
app = api.resolver()


@app.post("/models/<model>/predict")
def predict(model: str) -> Response[str]:
    request = api.Request.of(app)
    moment = api.request_moment(request.query("as_of"))
    return api.answer(200, predictor.predict(model, request.document(), moment, clock.now(), request.id))


@app.post("/v2/models/<model>/infer")
def infer(model: str) -> Response[str]:
    request, now = api.Request.of(app), clock.now()
    return api.answer(200, protocol.infer(model, request.document(), now, request.id))


@app.get("/v2/models/<model>")
def metadata(model: str) -> Response[str]:
    return api.answer(200, protocol.metadata(model))


@app.get("/v2/health/live")
def live() -> Response[str]:
    return api.answer(200, {"live": True})


@app.get("/v2/health/ready")
def ready() -> Response[str]:
    return api.answer(200, protocol.ready())


handler = api.entry(app)
