"""What the description of the API says of a request and its answer, as a check of real ones."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from smallbox.console.openapi import openapi
from smallbox.define.project import Project, load

_OK = 300


def closed(schema: Any) -> Any:
    """The schema with no properties allowed but those it names: nothing is answered that is not described."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: closed(one) for name, one in schema.items()}
    if schema.get("type") == "object" and "properties" in schema and "additionalProperties" not in schema:
        found["additionalProperties"] = False
    return found


def faults(document: Mapping[str, Any], schema: Mapping[str, Any], value: Any) -> list[str]:
    """What of a value a schema of the description does not allow."""
    whole = {**schema, "components": document["components"]}
    return [f"{'/'.join(map(str, one.path))}: {one.message}" for one in Draft202012Validator(whole).iter_errors(value)]


@cache
def _shipped() -> Any:
    return closed(openapi(load()))


def check_described(event: Mapping[str, Any], answer: Mapping[str, Any], project: Project | None = None) -> None:
    """Assert that request and answer are as the description of the event's route says.

    A request of which something was refused need not be; an event of no route is left out.
    """
    document = _shipped() if project is None else closed(openapi(project))
    http = event["requestContext"]["http"]
    found = list(_operations(document, http["method"].lower(), event["rawPath"]))
    if not found:
        return
    (operation,), status, body = found, str(answer["statusCode"]), answer.get("body") or ""
    responses = operation["responses"]
    content = (responses.get(status) or responses[f"{status[0]}XX"])["content"][answer["headers"]["Content-Type"]]
    parsed = json.loads(body) if content else {}
    if content:
        assert faults(document, content["schema"], parsed) == []
    is_taken = answer["statusCode"] < _OK and not parsed.get("rejected")
    if "requestBody" in operation and is_taken and not event.get("isBase64Encoded"):
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        assert faults(document, schema, json.loads(event["body"])) == []


def _operations(document: Mapping[str, Any], method: str, path: str) -> Iterator[Any]:
    for template, methods in document["paths"].items():
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template))
        if method in methods and re.fullmatch(pattern, path):
            yield methods[method]
