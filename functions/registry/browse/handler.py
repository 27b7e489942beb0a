"""``GET /status``, ``/contracts``, ``/models`` and below, and ``/openapi.json``: the read-only API."""

from functools import partial

from smallbox.aws.api import Api
from smallbox.aws.documents import DynamoDocuments
from smallbox.aws.settings import BrowseSettings, from_environment
from smallbox.console.browse import BrowseTask
from smallbox.console.openapi import openapi
from smallbox.define.project import load
from smallbox.registry.contracts import Contracts
from smallbox.registry.live_sources import LiveSources
from smallbox.registry.store import Registry

settings = from_environment(BrowseSettings)
documents = DynamoDocuments(settings.registry_table)
parts = Registry(documents), Contracts(documents), LiveSources(documents), DynamoDocuments(settings.metrics_table)
browser = BrowseTask(load(), *parts)
handler = Api()
handler.add_answers(
    {
        "GET /status": browser.status,
        "GET /contracts": browser.contracts,
        "GET /models": browser.models,
        "GET /models/{model}/versions": browser.versions,
        "GET /models/{model}/history": browser.history,
        "GET /models/{model}/metrics/{day}": browser.metrics,
        "GET /models/{model}/incidents": browser.incidents,
        "GET /openapi.json": partial(openapi, load()),
    }
)
