"""The operations of one model: predictions as JSON, and the Open Inference Protocol's tensors."""

from collections.abc import Iterator
from typing import Any, Final, get_args

from smallbox.console.explanation_schemas import MILLISECONDS, explanation_schema, flags_schema
from smallbox.console.json_schema import Schema, json_schema_of_instance, object_of
from smallbox.console.operations import BYTES, JSON, REPLAYED_AT, operation, path_parameter, reference
from smallbox.define.model import Model
from smallbox.records import Cause
from smallbox.request_sizes import EXPLAINED_LIMIT, INSTANCE_LIMIT

_HEADER: Final[Schema] = {
    "name": "Inference-Header-Content-Length", "in": "header", "required": False, "schema": {"type": "integer"},
    "description": "where the body holds tensors as bytes: the number of bytes of the JSON before them",
}  # fmt: skip
_VERSION: Final = path_parameter("version", {"type": "string", "pattern": "^[0-9]+$"})
_PARAMETERS: Final[Schema] = {
    "type": "object", "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
}  # fmt: skip
_TENSOR: Final[dict[str, Schema]] = {
    "name": {"type": "string"},
    "shape": {"type": "array", "items": {"type": "integer", "minimum": -1}, "minItems": 1, "maxItems": 2},
    "datatype": {"type": "string"},
}
_UNLOGGED: Final[Schema] = {
    "const": False, "description": "the prediction log's queue did not take the rows; left out when it did",
}  # fmt: skip
_PAGE: Final[dict[str, Schema]] = {
    "offset": {"type": "integer", "minimum": 0, "description": "how many positions are left out; by default none"},
    "limit": {"type": "integer", "minimum": 1, "description": "how many positions are answered; by default all"},
}
READY: Final[Schema] = object_of({"ready": {"const": True}})


def schemas_of_model(model: Model) -> dict[str, Schema]:
    """The schemas that the operations of a model refer to, by name."""
    return {
        f"instance.{model.name}": json_schema_of_instance(model),
        f"prediction.{model.name}": _prediction(model),
        **({f"ranked.{model.name}": _ranked(model)} if model.objective.group else {}),
        "infer_request": _infer_request(),
        "metadata": _metadata(),
        f"infer_answer.{model.name}": _infer_answer(model),
    }


def _prediction(model: Model) -> Schema:
    properties: dict[str, Schema] = {
        "id": {"type": "string", "description": f"the instance's {model.request.key}"},
        **model.objective.answer_schema(),
        "version": {"type": "integer", "minimum": 0, "description": "the version that answered; 0 for the fallback"},
        "arm": {"enum": ["champion", "challenger", "experiment", "fallback"]},
        "missing": {
            "type": "array", "items": {"type": "string"}, "description": "stored features that the store does not have",
        },
        "prediction_id": {"type": "string", "description": "names this answer in the log"},
    }  # fmt: skip
    optional: dict[str, Schema] = {
        "degraded": {
            "type": "array",
            "items": {"enum": list(get_args(Cause))},
            "description": "why it was not answered as usual; left out when it was",
        },
        "remembered": {"const": True, "description": "an equal request shortly before got the same answer"},
    }
    inputs = {
        "type": "object",
        "additionalProperties": {"type": ["number", "string", "null"]},
        "description": "with explain: what the outputs were computed from, but for personal values",
    }
    more = {"inputs": inputs, "explanation": explanation_schema(model), "flags": flags_schema()}
    return object_of({**properties, **optional, **more}, properties)


def _ranked(model: Model) -> Schema:
    """A prediction at its position."""
    prediction, at = _prediction(model), {"type": "integer", "minimum": 1}
    return object_of({**prediction["properties"], "position": at}, [*prediction["required"], "position"])


def _infer_request() -> Schema:
    tensor = object_of({**_TENSOR, "data": {"type": "array"}, "parameters": _PARAMETERS}, _TENSOR)
    output = object_of({"name": {"type": "string"}, "parameters": _PARAMETERS}, ["name"])
    properties = {
        "id": {"type": "string"},
        "parameters": _PARAMETERS,
        "inputs": {"type": "array", "items": tensor, "minItems": 1},
        "outputs": {"type": "array", "items": output},
    }
    return object_of(properties, ["inputs"])


def _infer_answer(model: Model) -> Schema:
    values = {"type": "array", "items": {"type": ["number", "null"]}}
    tensor = object_of({**_TENSOR, "data": values, "parameters": _PARAMETERS}, _TENSOR)
    properties = {
        "model_name": {"const": model.name},
        "model_version": {"type": "string", "description": "the version that answered every row; 0 for the fallback"},
        "id": {"type": "string"},
        "parameters": {
            **_PARAMETERS,
            "description": "model_versions: that of each row, where several answered; degraded: of each row the causes "
            "for which it was not answered as usual, joined by +; logged: false when the rows were not logged",
        },
        "outputs": {"type": "array", "items": tensor},
    }  # fmt: skip
    return object_of(properties, ["model_name", "id", "outputs"])


def _metadata() -> Schema:
    tensors: Schema = {"type": "array", "items": object_of(_TENSOR)}
    text: Schema = {"type": "string"}
    properties = {"name": text, "versions": {"type": "array", "items": text}, "platform": text}
    return object_of({**properties, "inputs": tensors, "outputs": tensors})


def operations_of_model(model: Model) -> Iterator[tuple[str, dict[str, Any]]]:
    """The operations of a model by method and path."""
    name = model.name
    yield _predict(model)
    if model.objective.group:
        yield _rank(model)
    answer = {JSON: reference(f"infer_answer.{name}"), BYTES: {}}
    body = {JSON: reference("infer_request"), BYTES: {}}
    ready = object_of({"name": {"const": name}, **READY["properties"]})
    for path, said, own in (
        (f"/v2/models/{name}", name, []),
        (f"/v2/models/{name}/versions/{{version}}", f"a version of {name} that answers requests", [_VERSION]),
    ):
        routes: tuple[tuple[str, dict[str, Any]], ...] = (
            (f"GET {path}", {"summary": f"the tensors of {said}", "answer": {JSON: reference("metadata")}}),
            (f"GET {path}/ready", {"summary": f"whether {said} is ready", "answer": {JSON: ready}}),
            (f"POST {path}/infer", {"summary": f"predict by {said}", "answer": answer, "body": body}),
        )
        for route, parts in routes:
            headers = [_HEADER] if "body" in parts else []
            yield route, operation(route, parameters=[*own, *headers], **parts)


def _rank(model: Model) -> tuple[str, dict[str, Any]]:
    route = f"POST /models/{model.name}/rank"
    body = object_of({"instances": _instances(model), **_PAGE}, ["instances"])
    required: dict[str, Schema] = {
        "model": {"const": model.name},
        "candidates": {"type": "integer", "minimum": 1, "description": "how many were sent"},
        "ranking": {"type": "array", "items": reference(f"ranked.{model.name}"), "description": "best first"},
    }
    answer = object_of({**required, "logged": _UNLOGGED}, required)
    summary = f"rank the candidates of one {model.objective.group} by {model.name}"
    return route, operation(route, summary, {JSON: answer}, parameters=[REPLAYED_AT], body={JSON: body})


def _instances(model: Model) -> Schema:
    one = reference(f"instance.{model.name}")
    return {"type": "array", "items": one, "minItems": 1, "maxItems": INSTANCE_LIMIT}


def _predict(model: Model) -> tuple[str, dict[str, Any]]:
    route = f"POST /models/{model.name}/predict"
    explain: Schema = {"type": "boolean", "description": f"for at most {EXPLAINED_LIMIT} instances"}
    body = object_of({"instances": _instances(model), "explain": explain, "flags": {"type": "boolean"}}, ["instances"])
    predictions = {"type": "array", "items": reference(f"prediction.{model.name}")}
    required: dict[str, Schema] = {"model": {"const": model.name}, "predictions": predictions}
    answer = object_of({**required, "logged": _UNLOGGED, "milliseconds": MILLISECONDS}, required)
    summary = f"predict by {model.name}"
    return route, operation(route, summary, {JSON: answer}, parameters=[REPLAYED_AT], body={JSON: body})
