"""``POST /events/{source}``: sends accepted records to the events queue, and rejected ones to quarantine."""

from smallbox.aws import api
from smallbox.aws.blobs import S3Blobs
from smallbox.aws.queue import SqsQueue
from smallbox.aws.settings import CollectSettings, from_environment
from smallbox.define.project import load
from smallbox.ingestion.collect import CollectTask
from smallbox.ingestion.quarantine import Quarantine

settings = from_environment(CollectSettings)
collector = CollectTask(load(), SqsQueue(settings.events_queue), Quarantine(S3Blobs(settings.lake_bucket)))
handler = api.Api()


def collect(request: api.Request) -> api.Response:
    moment = api.request_moment(request, settings.as_of)
    name = request.names["source"]
    return api.answer(202, collector.collect(name, request.body, request.content_type, moment, request.id))


handler.add("POST /events/{source}", collect)
