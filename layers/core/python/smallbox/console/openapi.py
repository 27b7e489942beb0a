"""The description of the HTTP API, OpenAPI 3.1, generated from the definitions and the routes."""

from collections.abc import Iterator
from typing import Any, Final

from smallbox import __version__
from smallbox.console.answers import (
    CollectAnswer,
    HistoryAnswer,
    IncidentsAnswer,
    ModelsAnswer,
    ReportAnswer,
    StatusAnswer,
    VersionsAnswer,
)
from smallbox.console.json_schema import json_schema_of_record, object_of, schema_of
from smallbox.console.model_operations import READY, operations_of_model, schemas_of_model
from smallbox.console.operations import ERRORS, JSON, REPLAYED_AT, operation, path_parameter, reference
from smallbox.define.project import Project
from smallbox.define.source import Source
from smallbox.documents.deployed_contracts import ContractsSnapshot
from smallbox.request_sizes import EVENT_LIMIT

_DAY: Final = path_parameter("day", {"type": "string", "format": "date"})
_SECURITY: Final = "signature"


def openapi(project: Project) -> dict[str, Any]:
    """The description of the API of a deployed definition.

    Routes whose bodies depend on a source or a model are described once for each, under its own path.
    """
    models = [schemas_of_model(model) for model in project.models.values()]
    records = {f"record.{name}": json_schema_of_record(source) for name, source in project.sources.items()}
    paths: dict[str, Any] = {}
    for route, found in _operations(project):
        method, _, path = route.partition(" ")
        paths.setdefault(path, {})[method.lower()] = found
    schemas = {**ERRORS, **records, **{name: schema for own in models for name, schema in own.items()}}
    said = "AWS Signature Version 4, service execute-api"
    signature = {"type": "apiKey", "in": "header", "name": "Authorization", "description": said}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Smallbox", "version": __version__},
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": {_SECURITY: signature}},
        "security": [{_SECURITY: []}],
    }


def _operations(project: Project) -> Iterator[tuple[str, dict[str, Any]]]:
    for source in project.sources.values():
        yield _collect(source)
    for model in project.models.values():
        yield from operations_of_model(model)
    yield from _read_only(project)
    yield from _of_server()


def _collect(source: Source) -> tuple[str, dict[str, Any]]:
    route, record = f"POST /events/{source.name}", reference(f"record.{source.name}")
    body = {"anyOf": [record, {"type": "array", "items": record, "maxItems": EVENT_LIMIT}]}
    summary = f"send records of {source.name}"
    answer = {JSON: schema_of(CollectAnswer)}
    return route, operation(route, summary, answer, status=202, parameters=[REPLAYED_AT], body={JSON: body})


def _read_only(project: Project) -> Iterator[tuple[str, dict[str, Any]]]:
    model = path_parameter("model", {"enum": [*project.models]})
    for route, summary, kind, parameters in (
        ("GET /status", "how everything stands", StatusAnswer, []),
        ("GET /contracts", "the deployed contracts, and who reads them", ContractsSnapshot, []),
        ("GET /models", "what serves", ModelsAnswer, []),
        ("GET /models/{model}/versions", "the versions of a model", VersionsAnswer, [model]),
        ("GET /models/{model}/history", "what happened to a model", HistoryAnswer, [model]),
        ("GET /models/{model}/incidents", "the incidents of a model and their stories", IncidentsAnswer, [model]),
        ("GET /models/{model}/metrics/{day}", "the monitoring report of a day", ReportAnswer, [model, _DAY]),
    ):
        yield route, operation(route, summary, {JSON: schema_of(kind)}, parameters=parameters)
    described = object_of({"openapi": {"const": "3.1.0"}, "paths": {"type": "object"}})
    yield "GET /openapi.json", operation("GET /openapi.json", "this description", {JSON: described})


def _of_server() -> Iterator[tuple[str, dict[str, Any]]]:
    text = {"type": "string"}
    server = object_of({"name": text, "version": text, "extensions": {"type": "array", "items": text}})
    for route, summary, answer in (
        ("GET /v2", "name, version and extensions of the inference server", server),
        ("GET /v2/health/live", "whether the server answers", object_of({"live": {"const": True}})),
        ("GET /v2/health/ready", "whether every model has a champion", READY),
    ):
        yield route, operation(route, summary, {JSON: answer})
