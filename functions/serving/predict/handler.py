"""Online predictions: ``POST /models/{model}/predict`` and ``/rank``, and the routes of the Open Inference Protocol."""

from collections.abc import Callable, Mapping
from typing import Any

from smallbox.aws import api, clock
from smallbox.aws.blobs import S3Blobs
from smallbox.aws.cache_figures import CacheFigures
from smallbox.aws.documents import DynamoDocuments
from smallbox.aws.failure_log import EmbeddedFailureLog
from smallbox.aws.online import DynamoOnlineStore
from smallbox.aws.protocol_routes import add_protocol
from smallbox.aws.queue import SqsQueue
from smallbox.aws.settings import PredictSettings, from_environment
from smallbox.aws.signed.credentials import prepare_snapshot
from smallbox.aws.signed.dynamodb import SignedDynamoDb
from smallbox.aws.signed.s3 import SignedBucket
from smallbox.aws.signed.sqs import SignedSqs
from smallbox.aws.token_buckets import DynamoTokenBuckets
from smallbox.define.project import load
from smallbox.features.live_views import LiveViewStore
from smallbox.registry.loader import ModelLoader
from smallbox.registry.store import Registry
from smallbox.serving.inference import InferenceProtocol
from smallbox.serving.predict import PredictTask
from smallbox.serving.rank import RankTask
from smallbox.serving.rate_limits import RateLimiter
from smallbox.serving.requests import instance_count

prepare_snapshot()
settings, reads = from_environment(PredictSettings), SignedDynamoDb()
documents = DynamoDocuments(settings.registry_table, reads=reads)
blobs = S3Blobs(settings.lake_bucket, reads=SignedBucket(settings.lake_bucket))
loader = ModelLoader.of_project(load(), Registry(documents), blobs)
predictor = PredictTask(
    load(),
    DynamoOnlineStore(settings.online_table, reads=reads),
    LiveViewStore(documents),
    loader,
    SqsQueue(settings.predictions_queue, SignedSqs()),
    EmbeddedFailureLog(),
    clock.now,
)
ranker = RankTask(predictor)
remembering = predictor.answering
figures = CacheFigures({"States": remembering.states, "Routings": remembering.routings, "Answers": remembering.answers})
limiter = RateLimiter(DynamoTokenBuckets(settings.limits_table, reads), EmbeddedFailureLog())
handler = api.Api()


def predict(request: api.Request) -> api.Response:
    return answered(request, predictor.predict)


def rank(request: api.Request) -> api.Response:
    return answered(request, ranker.rank)


def answered(request: api.Request, by: Callable[..., Mapping[str, Any]]) -> api.Response:
    moment, now = api.request_moment(request, settings.as_of), clock.now()
    figures.publish(now)
    name, document = request.names["model"], request.document()
    limiter.admit(load().model(name), request.consumer, instance_count(document), now)
    return api.answer(200, by(name, document, moment, now, request.id, fresh=request.is_fresh))


handler.add("POST /models/{model}/predict", predict)
handler.add("POST /models/{model}/rank", rank)
add_protocol(handler, InferenceProtocol(load(), loader, predictor, limiter).routes)
