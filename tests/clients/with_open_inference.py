"""Asks a server with ``open-inference-openapi``, the client of the protocol's working group.

Reads ``{"host", "model", "instances"}`` from standard input and writes what the client found as JSON.
"""

import json
import sys
from collections.abc import Callable
from typing import Any, Final

from open_inference.openapi.client import OpenInferenceClient
from open_inference.openapi.core import ApiError
from open_inference.openapi.types import InferenceRequest, RequestInput, TensorData

OK: Final = 200


def said(call: Callable[[], Any]) -> tuple[int, str]:
    """The status and the message of the error that a call raises."""
    try:
        call()
    except ApiError as error:
        return error.status_code, error.body["error"]
    return OK, ""


def request_of(metadata: Any, instances: list[dict[str, Any]]) -> InferenceRequest:
    """The tensors that the metadata asks for."""
    inputs = [
        RequestInput(
            name=one.name,
            shape=[len(instances)],
            datatype=one.datatype,
            data=TensorData(__root__=[instance[one.name] for instance in instances]),
        )
        for one in metadata.inputs
    ]
    return InferenceRequest(id="mine", inputs=inputs)


def ask(host: str, model: str, instances: list[dict[str, Any]]) -> dict[str, Any]:
    """What the client found."""
    client = OpenInferenceClient(base_url=f"http://{host}")
    metadata = client.read_model_metadata(model)
    version = metadata.versions[0]
    request = request_of(metadata, instances)
    answered, named = (
        client.model_infer(model, request=request),
        client.model_version_infer(model, version, request=request),
    )
    client.check_server_liveness()
    client.check_model_readiness(model)
    client.check_model_version_readiness(model, version)
    return {
        "server_ready": said(client.check_server_readiness)[0] == OK,
        "server": client.read_server_metadata().dict(),
        "inputs": metadata.inputs == client.read_model_version_metadata(model, version).inputs,
        "outputs": {
            name: json.loads(one.outputs[0].json())["data"] for name, one in (("default", answered), ("named", named))
        },
        "response": {"id": answered.id, "model_version": answered.model_version},
        "unknown": said(lambda: client.check_model_readiness("no_such_model")),
        "incomplete": said(lambda: client.model_infer(model, request=InferenceRequest(inputs=request.inputs[1:]))),
        "other": said(lambda: client.check_model_version_readiness(model, "4711")),
    }


if __name__ == "__main__":
    json.dump(ask(**json.load(sys.stdin)), sys.stdout)
