"""``POST /events/{source}``: sends accepted records to the events queue, and rejected ones to quarantine."""

from aws_lambda_powertools.event_handler import Response

from smallbox.aws import api
from smallbox.aws.blobs import S3Blobs
from smallbox.aws.queue import SqsQueue
from smallbox.aws.settings import CollectSettings, from_environment
from smallbox.define.project import load
from smallbox.ingestion.collect import CollectTask
from smallbox.ingestion.quarantine import Quarantine

settings = from_environment(CollectSettings)
collector = CollectTask(load(), SqsQueue(settings.events_queue), Quarantine(S3Blobs(settings.lake_bucket)))
app = api.resolver()


@app.post("/events/<source>")
def collect(source: str) -> Response[str]:
    request = api.Request.of(app)
    moment = api.request_moment(request.query("as_of"))
    return api.answer(202, collector.collect(source, request.body, request.content_type, moment, request.id))


handler = api.entry(app)
