"""``GET /status``, ``/contracts``, ``/models`` and below: read-only API for contracts, models, versions and metrics."""

from aws_lambda_powertools.event_handler import Response

from smallbox.aws import api
from smallbox.aws.documents import DynamoDocuments
from smallbox.aws.settings import BrowseSettings, from_environment
from smallbox.console.browse import BrowseTask
from smallbox.define.project import load
from smallbox.registry.contracts import Contracts
from smallbox.registry.live_sources import LiveSources
from smallbox.registry.store import Registry

settings = from_environment(BrowseSettings)
documents = DynamoDocuments(settings.registry_table)
parts = Registry(documents), Contracts(documents), LiveSources(documents), DynamoDocuments(settings.metrics_table)
browser = BrowseTask(load(), *parts)
app = api.resolver()


@app.get("/status")
def status() -> Response[str]:
    return api.answer(200, browser.status())


@app.get("/contracts")
def contracts() -> Response[str]:
    return api.answer(200, browser.contracts())


@app.get("/models")
def models() -> Response[str]:
    return api.answer(200, browser.models())


@app.get("/models/<model>/versions")
def versions(model: str) -> Response[str]:
    return api.answer(200, browser.versions(model))


@app.get("/models/<model>/history")
def history(model: str) -> Response[str]:
    return api.answer(200, browser.history(model))


@app.get("/models/<model>/metrics/<day>")
def metrics(model: str, day: str) -> Response[str]:
    return api.answer(200, browser.metrics(model, day))


handler = api.entry(app)
